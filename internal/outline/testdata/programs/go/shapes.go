// Package shapes fails its tests.
package shapes

// Area of a rectangle.
func Area(width, height int) int { return width + height }
