import numpy as np

from avsieve.fusion.inputs import Inputs, Stream
from avsieve.fusion.measures import COUNTS, all_measures


def test_measures_are_logarithms_and_the_length_of_the_embedding_and_nan_where_nothing_is_known():
    pooled = np.array([[3.0, 4.0], [0.5, 0.0], [1.0, 0.0]], dtype=np.float32)
    present = np.array([True, True, False])
    audio = Stream(pooled, present, measures={"duration_s": np.array([4.0, 0.0, 2.0], np.float32),
                                               "snr_db": np.array([20.0, 30.0, 2.0], np.float32)})  # fmt: skip
    visual = Stream(pooled, present, measures={"quality": np.array([0.5, 0.25, 1.0], np.float32)})
    found = all_measures(Inputs(["a", "b", "c"], audio, visual))
    np.testing.assert_allclose(
        found["audio"], [[np.log(4), 20, np.nan, np.log(5)], [np.nan, 30, np.nan, np.log(0.5)], [np.nan] * 4]
    )
    assert np.isnan(found["visual"][:, 0]).all()  # no numbers of faces
    np.testing.assert_allclose(found["visual"][:2, 1], [0.5, 0.25])
    assert {m: x.shape[1] for m, x in found.items()} == COUNTS
