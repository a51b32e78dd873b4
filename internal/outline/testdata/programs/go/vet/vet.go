package vet

import "fmt"

func Print() { fmt.Printf("%d\n", "text") }
