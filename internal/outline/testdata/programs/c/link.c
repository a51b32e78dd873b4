int area(int width, int height);

int main(void)
{
	return area(2, 3);
}
