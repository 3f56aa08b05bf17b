package gateway

import (
	"crypto/rand"
	"math/big"
)

// classes are the kinds of characters that password policies ask for.
var classes = []string{"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "0123456789", "!#$%&()*+-./:;<=>?@[]^_{}~"}

// secretLength is enough for every policy, and for none to be too long.
const secretLength = 56

// secret returns a random password that nobody knows, with characters of every
// class in turn.
func secret() string {
	text := make([]byte, secretLength)
	for i := range text {
		class := classes[i%len(classes)]
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(class))))
		if err != nil {
			panic(err) // crypto/rand never fails
		}
		text[i] = class[n.Int64()]
	}
	return string(text)
}
