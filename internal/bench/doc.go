// Command bench measures the server against references on the same machine and
// prints a table of ratios.
//
// A time or a rate says as much about the machine as about the program, so
// each figure stands beside a reference that does the same work with as little
// as possible around it: psql's \copy, one INSERT a transaction, a bare loop of
// write(2). Both are measured in the same round, one after the other, never at
// the same time, each in fresh processes on a fresh cluster; a row shows the
// round with the median ratio, and the lowest and highest of all rounds.
//
// The server under test is the program as it is built, run as a user would,
// with its embedded PostgreSQL; the references use a PostgreSQL that was
// started in the same way. The load comes from this process, on the same cores:
// requests are prepared beforehand and sent over plain sockets, so that it
// costs little. The row widgets also holds every event that arrives against what
// its reader had asked for, and ends with an error if one is missing, comes twice or
// comes to somebody else. What `stepcast run` costs a command is measured likewise, against
// the command alone; what the pages cost, in a real Chromium, against bare pages
// that get the same from the same server. Where a person waits, the time itself
// has a target too. What other programs take of the machine meanwhile is shown
// as OTHERS, with the processes of that browser: figures of a machine that is
// shared are noise.
package main
