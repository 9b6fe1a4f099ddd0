"""Small made-up files in the formats of the official archives: random pixels, no real images."""

import io
import pickle
import struct
import tarfile

import numpy as np

NAMES10 = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
NAMES100 = [f"thing_{number}" for number in range(100)]
PER_FILE = 4


def pixels(rng, n):
    return rng.integers(0, 256, (n, 3, 32, 32), dtype=np.uint8)


def python2_batch(images, labels, *, label_field="labels"):
    """A batch as cPickle of Python 2 wrote it, opcode by opcode: protocol 2, byte strings."""

    def text(value):
        return b"U" + bytes([len(value)]) + value

    data = images.reshape(len(images), -1).tobytes()
    numbers = b"".join(b"K" + bytes([label]) for label in labels)
    shape = b"K" + bytes([len(images)]) + b"M\x00\x0c\x86"
    dtype = (
        b"cnumpy\ndtype\nq\x06" + text(b"u1") + b"K\x00K\x01\x87Rq\x07(K\x03" + text(b"|")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    )  # fmt: skip
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04K\x00\x85" + text(b"b")
        + b"\x87Rq\x05(K\x01" + shape + dtype + b"\x89T" + struct.pack("<I", len(data)) + data
        + b"tb"
    )  # fmt: skip
    body = text(b"batch_label") + text(b"made up") + text(b"data") + array
    body += text(label_field.encode()) + b"](" + numbers + b"e"
    return b"\x80\x02}q\x01(" + body + b"u."


def python_files(rng, data_set):
    """Contents of the python version, and the images and labels in them."""
    if data_set == "cifar10":
        names = [*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]
        field, meta = "labels", {b"label_names": [n.encode() for n in NAMES10]}
        where, classes = "batches.meta", 10
    else:
        names = ["train", "test"]
        field, meta = "fine_labels", {b"fine_label_names": [n.encode() for n in NAMES100]}
        where, classes = "meta", 100
    files, images, labels = {where: pickle.dumps(meta, protocol=2)}, [], []
    for name in names:
        images.append(pixels(rng, PER_FILE))
        labels.append(rng.integers(0, classes, PER_FILE))
        files[name] = python2_batch(images[-1], labels[-1].tolist(), label_field=field)
    return files, np.concatenate(images), np.concatenate(labels)


def binary_files(rng, data_set):
    """Contents of the binary version, and the images and labels in them."""
    if data_set == "cifar10":
        names = [*(f"data_batch_{k}.bin" for k in range(1, 6)), "test_batch.bin"]
        where, classes = "batches.meta.txt", NAMES10
    else:
        names, where, classes = ["train.bin", "test.bin"], "fine_label_names.txt", NAMES100
    files, images, labels = {where: ("\n".join(classes) + "\n\n").encode()}, [], []
    for name in names:
        images.append(pixels(rng, PER_FILE))
        labels.append(rng.integers(0, len(classes), PER_FILE))
        columns = [labels[-1][:, None].astype(np.uint8), images[-1].reshape(PER_FILE, -1)]
        if data_set == "cifar100":  # the coarse label comes first
            columns.insert(0, rng.integers(0, 20, (PER_FILE, 1), dtype=np.uint8))
        files[name] = np.concatenate(columns, axis=1).tobytes()
    return files, np.concatenate(images), np.concatenate(labels)


def write_archive(path, folder, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def write_folder(folder, files):
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def png(picture):
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(picture.transpose(1, 2, 0)).save(stream, "PNG")
    return stream.getvalue()


def write_pack(path, images, labels, test, classes, changes):
    streams = [png(picture) for picture in images]
    arrays = {
        "data": np.frombuffer(b"".join(streams), np.uint8),
        "size": np.array([len(stream) for stream in streams], np.uint16),
        "label": np.asarray(labels, np.uint8),
        "test": np.asarray(test, bool),
        "classes": np.array(classes),
    }
    np.savez(path, **(arrays | changes))
    return path
