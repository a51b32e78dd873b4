// Package house holds the rules of the house to the code: who may import whom,
// and how many modules the program links. It has nothing but tests.
package house
