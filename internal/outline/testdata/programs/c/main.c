#include <stdio.h>
#include "area.h"

int main(void)
{
	int unused = 3;
	printf("%s\n", area(2, 3));
	return 0
}
