import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from blox_env.networks.images import ImageSet, reduce


@settings(max_examples=50)
@given(
    st.sampled_from([(4, 1), (4, 2), (6, 2), (6, 3), (32, 16), (32, 8)]).flatmap(
        lambda sides: st.tuples(
            arrays.arrays(np.uint8, (2, 3, sides[0], sides[0])), st.just(sides[1])
        )
    )
)
def test_reduce_is_the_rounded_mean_of_blocks(case):
    images, side = case
    small = reduce(images, side)
    block = images.shape[2] // side
    assert small.shape == (2, 3, side, side)
    assert small.dtype == np.uint8
    means = images.reshape(2, 3, side, block, side, block).mean(axis=(3, 5))
    np.testing.assert_array_equal(small, np.round(means))
    np.testing.assert_array_equal(reduce(images[:, :, ::-1], side), small[:, :, ::-1])


def test_reduce_says_what_it_takes():
    images = np.zeros((1, 3, 32, 32), np.uint8)
    assert reduce(images, 32) is images
    with pytest.raises(ValueError, match="side must divide the 32 pixels"):
        reduce(images, 12)
    with pytest.raises(ValueError, match="square uint8 images"):
        reduce(images[:, :, :8], 8)
    with pytest.raises(ValueError, match="square uint8 images"):
        reduce(images.astype(float), 8)


def of(labels, classes=("a", "b"), test=None):
    asked = []

    def decode(chosen):
        asked.append(len(chosen))
        return np.zeros((len(chosen), 3, 4, 4), np.uint8)

    labels = np.asarray(labels, dtype=np.int64)
    test = np.zeros(len(labels), bool) if test is None else test
    return ImageSet("mine", labels, test, classes, "0" * 64, decode), asked


def test_only_what_is_asked_for_is_decoded():
    images, asked = of([0, 1, 1, 0])
    assert asked == []
    assert images.take(np.array([1, 3])).shape == (2, 3, 4, 4)
    assert asked == [2]
    assert images.images is images.images
    assert images.take(np.array([1])).shape == (1, 3, 4, 4)
    assert asked == [2, 4]


@pytest.mark.parametrize(
    ("labels", "test", "message"),
    [
        ([], None, "there are no images"),
        ([0, 2], None, r"expected labels in 0 … 1, one each class, got 0 … 2"),
        ([-1, 0], None, "got -1 … 0"),
        ([0, 1], np.zeros(3, bool), r"expected labels and test of shape \(2,\)"),
    ],
)
def test_wrong_labels(labels, test, message):
    with pytest.raises(ValueError, match=f"mine: .*{message}"):
        of(labels, test=test)
