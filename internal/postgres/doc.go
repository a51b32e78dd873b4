// Package postgres keeps builds and their logs in PostgreSQL. It is the only
// package that knows SQL.
//
// Its promises: what [Store.Append] and [Store.Create] acknowledge is
// committed to disk; the ids of a log are dense and appear in commit order;
// and whoever sees event n can see 1..n-1.
package postgres
