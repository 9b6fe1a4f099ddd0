"""A report of an experiment: one page that shows everything, its pictures and tables as files.

The page needs no other file and no network. It is made from the run files; benchmark and device
are loaded as well, if they can be, for the whole space behind the picture, for what they say about
their data, and for which latencies were measured.
"""

from blox_env.report.write import write_report, written

__all__ = ["write_report", "written"]
