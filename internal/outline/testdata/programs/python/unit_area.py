import unittest


class TestArea(unittest.TestCase):
    def test_area(self):
        self.assertEqual(2 + 3, 6)


unittest.main()
