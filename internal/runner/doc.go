// Package runner is the client: it runs a command and reports it, follows a
// build in a terminal, and starts and finishes builds.
//
// What it promises to the command it wraps ([Command.Run]):
//
//   - Its output reaches our own stdout and stderr untouched, as it comes. Both
//     go into the one log of the step, in the order in which they were read.
//   - Its exit code is ours. Signals are passed on.
//   - Reporting ([Report]) never slows it: text goes into a spool on disk
//     before it goes anywhere else, and is sent from there. Beyond the spool's
//     budget the oldest text is dropped, counted, and reported as lost.
//     Statuses are never dropped.
//
// What it promises to the server: the updates of a step come in order, one
// request at a time, each repeated until it is answered; every request may
// arrive twice without harm.
//
// What it promises to whoever reads the log: what the terminal has shown is in
// the spool, and outlasts the process. The next run on the machine, or `flush`
// ([Leftovers]), delivers what this one could not, also when it was killed.
//
// What background processes print after the command's own end belongs to
// nobody: once the command has exited, output is taken until the last process
// that holds it has closed it, but for at most [grace].
package runner
