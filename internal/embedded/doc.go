// Package embedded runs a PostgreSQL of our own: it finds the binaries or
// fetches them, makes the cluster, starts it, and keeps it running.
//
// What it promises:
//
//   - It is the PostgreSQL that production uses, with the same durability:
//     fsync, full_page_writes and synchronous_commit stay on.
//   - Nobody else can connect. There is no TCP port; the socket lies in a
//     folder that only the cluster's own user (and root) can enter.
//   - One server at a time on a data directory, held by a file lock that the
//     kernel releases however the server ends.
//   - However the server ends, kill -9 included, the next start simply works.
//     However PostgreSQL ends, [Server.Run] starts it again, and never gives up.
//   - Nothing that was stored is ever deleted here: no cluster is made where
//     one is, and postmaster.pid, PostgreSQL's own guard, is left alone.
//
// A data directory holds, besides what others keep there:
//
//	lock           held while a server runs; its text is that server's process id
//	pg/            the cluster
//	pg.init-*      a cluster being made; it becomes pg/ in one rename
//	run            the socket's folder, or a link to it when the path is too long
//	postgres.log   what PostgreSQL says, with one older part in postgres.log.1
//
// Deliberately absent: upgrades from one major version to another (the
// directory's version decides which binaries run), replication, backups, and
// any knowledge of SQL beyond the one empty database.
package embedded
