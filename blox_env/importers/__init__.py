"""Files of other benchmarks -> a store with benchmark and devices.

:func:`blox_env.importers.importing.import_files` does it all; ``blox-env import`` calls it.
"""
