def area(width, height):
    return width * height / 0


def main():
    print(area(2, 3))


if __name__ == "__main__":
    main()
