"""Numbers of a series: seven digits, and none of a binary fraction's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.usecases.queries.series import numbers_of, significant


@given(
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15).filter(lambda x: abs(x) > 1e-12)
)
def test_a_number_is_written_with_seven_digits(value: float) -> None:
    """As formatting it does, but for a tie that the last bit decides."""
    (found,) = significant(np.array([value])).tolist()
    assert found == pytest.approx(value, rel=5.1e-7)
    assert found == float(f"{found:.7g}")


def test_single_precision_comes_back_as_it_was_written() -> None:
    """0.3 measured in single precision is 0.3, and the sum of 0.1 and 0.2, too; what is none is null."""
    values = np.array([np.float64(np.float32(0.3)), 0.1 + 0.2, 0.0, -12.3456, np.nan, np.inf])
    assert numbers_of(values) == [0.3, 0.3, 0.0, -12.3456, None, None]
