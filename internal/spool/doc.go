// Package spool keeps what a runner has to say on disk until the server has it.
//
// A spool is a folder. It belongs to one report: the text of one step's log,
// counted in bytes from its start, in segments of bounded size; and a journal
// of what is to be said beside the text. A root is a folder of spools, one for
// each report on this machine that is under way or was left behind.
//
// What it promises:
//
//   - Text that [Spool.Append] was given is in the file system when it returns:
//     the process may be killed. [Spool.Sync], which runs beside and never in
//     its way, brings it to the disk: the power may fail.
//   - A byte that is handed out is the byte that came in. Each record carries
//     its length and checksums (CRC-32C); a torn tail is cut off, and a record
//     that was damaged becomes a hole, whatever was damaged in it.
//   - Append never fails and never waits for a disk to have room. Where the
//     folder cannot be written, or the disk is full, text is kept in memory for
//     as long; [Spool.Trouble] says so.
//   - It is bounded. Beyond the budget of its root the oldest text goes, what
//     the server has first, and [Spool.Read] tells of the hole. The journal is
//     never given up.
//   - One process at a time: whoever has a spool open holds the lock of its
//     folder, and the system takes the lock back when the process ends.
package spool
