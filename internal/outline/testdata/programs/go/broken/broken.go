package broken

import "os"

func Broken() int {
	return "text"
}

func Broken() int { return undefined }
