import pytest


def area(width, height):
    return width + height


def test_area():
    assert area(2, 3) == 6


class TestMore:
    @pytest.mark.parametrize("side", [2, 3])
    def test_square(self, side):
        """A square."""
        assert area(side, side) == side * side

    def test_raises(self):
        raise ValueError("too\x1b[31m red")


@pytest.mark.skip(reason="no ruler")
def test_skipped():
    pass


@pytest.fixture
def ruler():
    raise OSError("the ruler is gone")


def test_ruler(ruler):
    pass
