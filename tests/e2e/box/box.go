// Command box is all that is in an image without a shell: it does what its arguments say, in turn.
//
//	say TEXT          prints it
//	env NAME          prints NAME=value
//	show FILE         prints the file
//	write FILE TEXT   writes it
//	copy FROM TO      copies a file
//	fail FILE N       exits with 3 the first N times that it is asked, which it counts in FILE
//	eat MIB           takes so much memory
//	sleep SECONDS
//	exit STATUS
package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

var eaten [][]byte

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "box:", err)
		os.Exit(1)
	}
}

func number(text string) int {
	found, err := strconv.Atoi(strings.TrimSpace(text))
	must(err)
	return found
}

func read(path string) []byte {
	data, err := os.ReadFile(path)
	must(err)
	return data
}

func write(path string, data []byte) { must(os.WriteFile(path, data, 0o666)) }

func fail(path string, times int) {
	count := 0
	if data, err := os.ReadFile(path); err == nil {
		count = number(string(data))
	}
	write(path, []byte(strconv.Itoa(count+1)))
	if count < times {
		fmt.Println("failing for the", count+1, "time")
		os.Exit(3)
	}
}

func eat(mebibytes int) {
	for range mebibytes {
		part := make([]byte, 1<<20)
		for i := range part {
			part[i] = 1
		}
		eaten = append(eaten, part)
	}
}

func main() {
	words := os.Args[1:]
	next := func() string {
		if len(words) == 0 {
			must(fmt.Errorf("an argument is missing"))
		}
		word := words[0]
		words = words[1:]
		return word
	}
	for len(words) > 0 {
		switch verb := next(); verb {
		case "say":
			fmt.Println(next())
		case "env":
			name := next()
			fmt.Printf("%s=%s\n", name, os.Getenv(name))
		case "show":
			fmt.Printf("%s\n", read(next()))
		case "write":
			write(next(), []byte(next()))
		case "copy":
			from := next()
			write(next(), read(from))
		case "fail":
			fail(next(), number(next()))
		case "eat":
			eat(number(next()))
		case "sleep":
			time.Sleep(time.Duration(number(next())) * time.Second)
		case "exit":
			os.Exit(number(next()))
		default:
			must(fmt.Errorf("what is %q?", verb))
		}
	}
}
