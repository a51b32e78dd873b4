package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/termtest"
)

// screen is a new terminal with somebody in front of it.
type screen struct {
	t            *testing.T
	ours, theirs *os.File
	cmd          *exec.Cmd

	mu    sync.Mutex
	text  []byte
	over  bool
	news  chan struct{} // one slot
	begun int           // where expect goes on
}

// onScreen starts a command as the first of a new terminal's session.
func onScreen(t *testing.T, cmd *exec.Cmd) *screen {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no terminals here: ", err)
	}
	t.Cleanup(func() { ours.Close() })
	var n int
	control(t, ours, func(fd int) error {
		if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
			return err
		}
		n, err = unix.IoctlGetInt(fd, unix.TIOCGPTN)
		return err
	})
	// Kept open: or reading our end would be an error once the command has gone.
	theirs, err := os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { theirs.Close() })
	s := &screen{t: t, ours: ours, theirs: theirs, cmd: cmd, news: make(chan struct{}, 1)}
	s.resize(33, 111)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs, theirs, theirs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go s.watch()
	return s
}

// shell is an interactive bash in which stepcast is the program under test.
func shell(t *testing.T) *screen {
	t.Helper()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip(err)
	}
	self, dir := stepcast(t, []string{"PS1=$ ", "TERM=dumb"}), t.TempDir()
	if err := os.Symlink(self.Path, filepath.Join(dir, "stepcast")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "bash", "--norc", "--noprofile", "--noediting", "-i")
	cmd.Env = append(self.Env, "PATH="+dir+":"+os.Getenv("PATH"), "HISTFILE=")
	s := onScreen(t, cmd)
	s.expect("$ ")
	return s
}

func (s *screen) watch() {
	buf := make([]byte, 4096)
	for {
		n, err := s.ours.Read(buf)
		s.mu.Lock()
		s.text = append(s.text, buf[:n]...)
		s.over = err != nil
		s.mu.Unlock()
		select {
		case s.news <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// expect waits until a text appears after the one that was expected last, and
// returns what came before it.
func (s *screen) expect(want string) string {
	s.t.Helper()
	limit := time.After(time.Minute)
	for {
		s.mu.Lock()
		rest := s.text[s.begun:]
		i := bytes.Index(rest, []byte(want))
		if i >= 0 {
			s.begun += i + len(want)
			s.mu.Unlock()
			return string(rest[:i])
		}
		over := s.over
		s.mu.Unlock()
		select {
		case <-s.news:
			continue
		case <-limit:
		}
		s.t.Fatalf("%q does not appear (over: %v), but %q", want, over, rest)
	}
}

func (s *screen) press(keys string) {
	s.t.Helper()
	if _, err := s.ours.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

func (s *screen) enter(line string) { s.press(line + "\n") }

func (s *screen) resize(rows, columns uint16) {
	s.t.Helper()
	control(s.t, s.ours, func(fd int) error {
		return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns})
	})
}

// control does something with a descriptor, which Fd would make blocking: then
// closing the file would wait for a read.
func control(t *testing.T, f *os.File, do func(fd int) error) {
	t.Helper()
	conn, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	conn.Control(func(fd uintptr) { err = do(int(fd)) })
	if err != nil {
		t.Fatal(err)
	}
}

func (s *screen) modes() unix.Termios {
	s.t.Helper()
	mode, err := unix.IoctlGetTermios(int(s.theirs.Fd()), unix.TCGETS)
	if err != nil {
		s.t.Fatal(err)
	}
	return *mode
}

const ctrlC, ctrlZ, ctrlBackslash = "\x03", "\x1a", "\x1c"

// counting counts its signals, and prints how many they were when SIGUSR1
// comes, which comes after all that was pending.
const counting = `n=0; trap 'n=$((n+1))' INT QUIT; trap 'echo "$n times"; exit 6' USR1; echo pid $$.; while :; do sleep 0.05; done`

// Keys reach the command once, as they would without us, on our terminal and on
// one of its own.
func TestRun_KeysReachTheCommandOnce(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string][]string{"shared": nil, "--pty": {"--pty"}} {
		for key, press := range map[string]string{"Ctrl-C": ctrlC, "Ctrl-backslash": ctrlBackslash} {
			t.Run(name+" "+key, func(t *testing.T) {
				t.Parallel()
				args := append(append([]string{"run"}, flags...), "--", "sh", "-c", counting)
				s := onScreen(t, stepcast(t, nil, args...))
				s.expect("pid ")
				pid, err := strconv.Atoi(s.expect("."))
				if err != nil {
					t.Fatal(err)
				}
				s.press(press)
				s.expect(map[string]string{ctrlC: "^C", ctrlBackslash: `^\`}[press]) // the terminal has seen it
				syscall.Kill(pid, syscall.SIGUSR1)
				if before := s.expect(" times"); !strings.HasSuffix("\n"+before, "\n1") { // after the shell's words
					t.Errorf("%q times", before)
				}
				s.cmd.Wait()
				if code := s.cmd.ProcessState.ExitCode(); code != 6 {
					t.Errorf("exit code %d", code)
				}
			})
		}
	}
}

// A shell leaves its loop when Ctrl-C ends the command, which it can only know
// if it ends us too.
func TestRun_CtrlCEndsTheLoopAround(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"", "--pty "} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			s := shell(t)
			s.enter(`for i in 1 2 3; do stepcast run ` + flag + `-- sh -c "echo turn; echo $i.; exec sleep 1000"; done; echo code $?.`)
			s.expect("turn\r\n1.\r\n")
			s.press(ctrlC)
			s.expect("\n$ ") // what is typed before Ctrl-C has worked is lost
			s.enter("echo on")
			if before := s.expect("\non\r\n"); strings.Contains(before, "turn") {
				t.Errorf("%q", before)
			}
		})
	}
}

// Ctrl-Z stops the command and us, and fg lets both go on.
func TestRun_CtrlZAndForeground(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"", "--pty "} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			s := shell(t)
			before := s.modes()
			s.enter("stepcast run " + flag + `-- sh -c 'echo pid $$.; read a; echo "got $a"; read b; echo "and $b"; exit 5'`)
			s.expect("pid ")
			s.expect("pid ") // the first is the command line's echo
			pid := s.expect(".")
			for _, word := range []string{"one", "two"} {
				s.press(ctrlZ)
				s.expect("Stopped")
				s.expect("$ ")
				if !eventually(func() bool {
					status, _ := os.ReadFile("/proc/" + pid + "/status")
					return bytes.Contains(status, []byte("State:\tT"))
				}) {
					t.Error("the command is not stopped")
				}
				if got := s.modes(); got != before {
					t.Errorf("stopped, the modes are %+v, not %+v", got, before)
				}
				s.enter("fg")
				s.expect("stepcast run")
				s.expect("\n")
				s.enter(word)
				s.expect(map[string]string{"one": "got one", "two": "and two"}[word])
			}
			s.expect("$ ")
			s.enter("echo code $?.")
			s.expect("code 5.")
		})
	}
}

// Whoever reads the terminal from the background is stopped by it, with us.
func TestRun_InTheBackground(t *testing.T) {
	t.Parallel()
	s := shell(t)
	s.enter("stepcast run -- sh -c 'read a; echo \"got $a\"' &")
	s.expect("$ ")
	for {
		s.enter("jobs")
		if before := s.expect("$ "); strings.Contains(before, "Stopped") {
			break
		}
	}
	s.enter("fg")
	s.expect("stepcast run")
	s.expect("\n")
	s.enter("it")
	s.expect("got it")
}

// With --pty in the background, the shell's terminal is neither read nor
// changed.
func TestRun_PTYInTheBackground(t *testing.T) {
	t.Parallel()
	s := shell(t)
	fifo := filepath.Join(t.TempDir(), "fifo")
	s.enter("mkfifo " + fifo + "; stepcast run --pty -- sh -c 'cat " + fifo + "; test -t 0 && echo on a terminal' &")
	s.expect("$ ")
	s.enter("echo typed; echo go on >" + fifo + "; wait; echo over")
	s.expect("\ntyped\r\n")
	got := s.expect("\nover\r\n")
	if !strings.Contains(got, "go on") || !strings.Contains(got, "on a terminal") {
		t.Errorf("%q", got)
	}
}

// When the terminal closes, the command hears of it.
func TestRun_TheTerminalCloses(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"", "--pty "} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "file")
			s := shell(t)
			s.enter("stepcast run " + flag + "-- sh -c 'trap \"echo hung up >" + file + "; exit\" HUP; echo now; while :; do sleep 0.05; done'")
			s.expect("now\r\n")
			s.theirs.Close()
			s.ours.Close()
			if !eventually(func() bool {
				text, err := os.ReadFile(file)
				return err == nil && string(text) == "hung up\n"
			}) {
				t.Error("the command was not told")
			}
		})
	}
}

// However a command on a terminal of its own ends, ours is as it was.
func TestRun_PTYRestoresTheTerminal(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(s *screen){
		"the command's end": func(s *screen) { s.enter("x") },
		"SIGTERM":           func(s *screen) { s.cmd.Process.Signal(syscall.SIGTERM) },
		"Ctrl-C":            func(s *screen) { s.press(ctrlC) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := onScreen(t, stepcast(t, nil, "run", "--pty", "--", "sh", "-c", "echo ready; read x; echo got $x"))
			s.expect("ready\r\n")
			if raw := s.modes(); raw.Lflag&(unix.ICANON|unix.ISIG|unix.ECHO) != 0 {
				t.Errorf("not raw: %+v", raw)
			}
			end(s)
			s.cmd.Wait()
			if after := s.modes(); after.Lflag&(unix.ICANON|unix.ISIG|unix.ECHO) != unix.ICANON|unix.ISIG|unix.ECHO || after.Oflag&(unix.OPOST|unix.ONLCR) != unix.OPOST|unix.ONLCR || after.Iflag&unix.ICRNL == 0 {
				t.Errorf("the modes are %+v", after)
			}
		})
	}
}

// The command's terminal has the size of ours, also when that changes.
func TestRun_PTYHasOurSize(t *testing.T) {
	t.Parallel()
	s := onScreen(t, stepcast(t, nil, "run", "--pty", "--", "bash", "-c", `trap 'stty size; exit' WINCH; stty size; while :; do sleep 0.05; done`))
	s.expect("33 111\r\n")
	s.resize(44, 122)
	s.expect("44 122\r\n")
	s.cmd.Wait()
}

// Without a terminal of ours the command has one all the same, of the size that
// the environment names, and its lines arrive as it printed them.
func TestRun_PTYWithoutATerminal(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		env  []string
		want string
	}{
		{[]string{"COLUMNS=", "LINES="}, "24 80"},
		{[]string{"COLUMNS=132", "LINES=50"}, "50 132"},
		{[]string{"COLUMNS=-1", "LINES=x"}, "24 80"},
	} {
		cmd := stepcast(t, tt.env, "run", "--pty", "--", "sh", "-c", `test -t 1 && test -t 2 && stty size </dev/tty; printf 'a\r\nb\n' >&2; cat; exit 7`)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		cmd.Stdin = strings.NewReader("\x03in\x00put\x04\n")
		stdout, stderr, code := output(t, cmd)
		if want := tt.want + "\na\r\nb\n\x03in\x00put\x04\n"; code != 7 || stdout != want || stderr != unreported {
			t.Errorf("exit code %d, %q, %q", code, stdout, stderr)
		}
	}
}

// Nothing that it printed is lost when the command on a terminal ends.
func TestRun_PTYIsReadToItsEnd(t *testing.T) {
	t.Parallel()
	stdout, _, code := output(t, stepcast(t, nil, "run", "--pty", "--", "sh", "-c", "seq 200000; exit 3"))
	var want strings.Builder
	for i := range 200_000 {
		fmt.Fprintln(&want, i+1)
	}
	if code != 3 || stdout != want.String() {
		t.Errorf("exit code %d, %d bytes of %d", code, len(stdout), want.Len())
	}
}

// Both go as far as they come, and their processes with them.
func TestRun_Timeout(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		command string
		flags   []string
		screen  bool
		stdout  string
	}{
		"ended":               {command: "trap 'echo told; exit 0' TERM; echo begun; while :; do sleep 0.05; done", stdout: "begun\ntold\n"},
		"with what it began":  {command: "sh -c 'trap \"echo told; exit\" TERM; echo begun; while :; do sleep 0.05; done'; exit 1", stdout: "begun\ntold\n"},
		"killed":              {command: "sh -c 'trap \"\" TERM; echo begun; exec sleep 1000'", flags: []string{"--kill-after=100ms"}, stdout: "begun\n"},
		"killed at once":      {command: "trap '' TERM; echo begun; sleep 1000; sleep 1000", flags: []string{"--kill-after=0"}, stdout: "begun\n"},
		"a terminal's":        {command: "sh -c 'echo begun; exec sleep 1000'", flags: []string{"--pty"}, stdout: "begun\n"},
		"stopped":             {command: "echo begun; kill -STOP $$; sleep 1000", stdout: "begun\n"},
		"what is left behind": {command: "(trap '' TERM; sleep 1000) & echo begun; wait", stdout: "begun\n"},
		"under a terminal":    {command: "sh -c 'sh -c \"echo begun; sleep 1000; exit 1\"; exit 1'", screen: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"run", "--timeout=1s"}, tt.flags...)
			cmd := stepcast(t, nil, append(args, "--", "sh", "-c", tt.command)...)
			const said = "stepcast: sh was ended: it ran longer than --timeout=1s"
			if tt.screen {
				s := onScreen(t, cmd)
				s.expect("begun")
				s.expect(said)
				s.cmd.Wait()
				if code := cmd.ProcessState.ExitCode(); code != 124 {
					t.Errorf("exit code %d", code)
				}
				return
			}
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal
			stdout, stderr, code := output(t, cmd)
			if code != 124 || stdout != tt.stdout || !strings.HasPrefix(stderr, unreported) || !strings.HasSuffix(stderr, said+"\n") {
				t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
			}
		})
	}
}

// A command that is done in time does not know of a timeout.
func TestRun_InTime(t *testing.T) {
	t.Parallel()
	stdout, _, code := output(t, stepcast(t, nil, "run", "--timeout=1h", "--", "sh", "-c", "echo in time; exit 4"))
	if code != 4 || stdout != "in time\n" {
		t.Errorf("exit code %d, %q", code, stdout)
	}
}

// Who kills us does not kill the command: it lives until it prints, and ends
// like one whose reader has gone.
func TestRun_KilledItself(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := stepcast(t, nil, "run", "--", "sh", "-c", `echo ready; cat gate; yes; echo $? >code`)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := syscall.Mkfifo(filepath.Join(dir, "gate"), 0o600); err != nil {
		t.Fatal(err)
	}
	started(t, cmd)
	cmd.Process.Kill()
	cmd.Wait()
	// Opens when the command, which is alive, opens the other end.
	if err := os.WriteFile(filepath.Join(dir, "gate"), nil, 0); err != nil {
		t.Fatal(err)
	}
	if !eventually(func() bool {
		code, _ := os.ReadFile(filepath.Join(dir, "code"))
		return string(code) == "141\n"
	}) {
		t.Error("the command did not meet SIGPIPE")
	}
}

// Where to watch a build is said in a terminal by who makes it, not again by each of
// its steps; in a CI system by each job, and whenever it is asked for.
func TestRun_SaysWhereToWatchOnce(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	said := func(env []string, args ...string) int {
		term := termtest.New(t, 200, 24)
		cmd := stepcast(t, append(append(s.env, "TERM=xterm"), env...), append(append([]string{"run", "--project", "acme/once"}, args...), "--", "true")...)
		term.Start(t, cmd)
		if code := term.Wait(cmd); code != 0 {
			t.Errorf("exit code %d: %s", code, term.Text())
		}
		return strings.Count(term.Text(), "stepcast: watch "+s.url+"/builds/")
	}
	stdout, _ := s.do(0, "build", "start", "--project", "acme/once") // and says it
	started, unheard := []string{"STEPCAST_BUILD=" + strings.TrimSpace(stdout)}, []string{"STEPCAST_BUILD=" + ci.NewBuildID().String()}
	job := []string{"BUILDKITE=true", "BUILDKITE_BUILD_ID=0190f3c4-8f5e-7c3a-9d2b-1f6f2f1c7a10", "BUILDKITE_LABEL=test"}
	for _, c := range []struct {
		name string
		env  []string
		args []string
		want int
	}{
		{"a step of its own", nil, nil, 1},
		{"a step of a build that was started", started, []string{"--step", "one"}, 0},
		{"another", started, []string{"--step", "two"}, 0},
		{"one that asks", started, []string{"--step", "three", "--show-url"}, 1},
		{"the first of a build that no server knew", unheard, []string{"--step", "one"}, 1},
		{"the second", unheard, []string{"--step", "two"}, 0},
		{"a job", job, []string{"--step", "one"}, 1},
		{"another job", job, []string{"--step", "two"}, 1},
	} {
		if got := said(c.env, c.args...); got != c.want {
			t.Errorf("%s: said %d times, want %d", c.name, got, c.want)
		}
	}
}
