// Package outline understands the log of a step while it grows: which lines
// belong together, what is wrong at which place in the source, how each test
// ended. It does no I/O.
//
// What it promises:
//
//   - The log is only read. What a [Parser] yields depends on the log's bytes,
//     and at its end on how the step ended; not on the pieces in which they come.
//   - A note is yielded once its line, or the last line that it needs, has
//     ended; nothing is taken back. Notes are numbered from 0 without a gap;
//     their lines need not ascend, because go test names a package after its
//     tests. Every group that was begun is ended, at the latest by
//     [Parser.Close].
//   - Everything is bounded: what is kept, and what is yielded, by the bounds
//     that package ci states for notes. Names and messages are UTF-8 without
//     control characters; a message may have line feeds and tabs.
//   - It rather misses something than to claim what is not so. Messages of
//     compilers count at the beginning of a line, with the name of a source
//     file; what takes several lines counts when all of them are there.
//
// # Groups
//
// GitHub Actions' ::group:: and Azure Pipelines' ##[group] are one deep: the
// next one ends the last. GitLab's sections and Travis' folds are nested and
// carry their own times. All but GitLab's, which say so, are shown folded there.
// Buildkite's ---, +++ and ~~~ are read only when [Options] says so, because much
// else begins with them, and not in a unified diff. Its ^^^ +++, which opens a
// group after the fact, is passed over.
//
// # Annotations
//
// The commands of GitHub and Azure; gcc, clang and whatever prints as they do
// (javac, clang-tidy, mypy); the linker; make, when nothing was wrong before;
// CMake; Go's compiler, vet, failed tests, panics and data races; rustc;
// TypeScript, and other compilers with numbered messages in Microsoft's form;
// ESLint; Maven; Python's tracebacks and pytest; uncaught errors of Node, and the
// failures of Jest, Mocha and Vitest; Perl's Test::More. When a step has failed and none of
// these said why, lines that begin with error: or fatal:, whatever their case, or as those of
// kubectl and docker, after a time or without; what passes prints them too.
//
// # Tests
//
// go test, with -json, with -v or plain, cargo test, and TAP, from the log; the
// output of go test -json, TAP and JUnit XML from files.
//
// When a Go package fails though none of its tests did, because it ran too long
// or its process exited, those that were running then have failed, though go test
// does not say so of each. A package is listed as a failed test of its own name
// when no test is known to have failed in its stead (its build failed). One that
// passed, of which go test printed one line and no names, is one test.
package outline
