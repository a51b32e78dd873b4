// Package pgtest gives each test a PostgreSQL database of its own:
//
//	url := pgtest.New(t) // migrated, empty, dropped when the test ends
//
// The databases lie in real clusters with every durability setting on, as
// package embedded runs them. A test process takes one cluster from a small
// pool (stepcast-pgtest-<user id>, in memory where there is enough, else among
// temporary files) and keeps it to its end; a file lock says which are free. So
// packages are tested in parallel, making a cluster is paid once a machine, and
// a test process that is killed leaves nothing but a cluster for the next one,
// which drops its databases. A database is a copy of a template that the
// cluster keeps for as long as the migrations are the same.
//
// What a test kills, it starts for itself: [Start].
package pgtest
