package judge

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// order is one line that the judge's process reads; each is answered by one
// line, a reply.
type order struct {
	Do       string        `json:"do"` // start, status, struck, pause, resume, rewound, finish
	Plan     *Plan         `json:"plan,omitempty"`
	Server   string        `json:"server,omitempty"`
	At       time.Time     `json:"at,omitzero"`
	Patience time.Duration `json:"patience,omitempty"`
}

type reply struct {
	Error    string  `json:"error,omitempty"`
	Status   *Status `json:"status,omitempty"`
	InFlight int     `json:"in_flight,omitempty"`
	Report   *Report `json:"report,omitempty"`
}

// Main is the judge as a process: it obeys the orders on in, and ends with it.
func Main(in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var load *Load
	orders, replies := json.NewDecoder(bufio.NewReader(in)), json.NewEncoder(out)
	for {
		var o order
		if err := orders.Decode(&o); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read order: %w", err)
		}
		var r reply
		switch {
		case o.Do == "start" && load == nil && o.Plan != nil:
			var err error
			if load, err = Run(ctx, *o.Plan); err != nil {
				r.Error = err.Error()
			}
		case load == nil:
			r.Error = "nothing was started"
		case o.Do == "status":
			status := load.Status()
			r.Status = &status
		case o.Do == "struck":
			r.InFlight = load.InFlight(o.Server, o.At)
		case o.Do == "pause":
			load.Pause()
		case o.Do == "resume":
			load.Resume()
		case o.Do == "rewound":
			load.Rewound()
		case o.Do == "finish":
			report := load.Finish(o.Patience)
			r.Report = &report
		default:
			r.Error = "unknown order " + o.Do
		}
		if err := replies.Encode(r); err != nil {
			return fmt.Errorf("write reply: %w", err)
		}
	}
}

// Process is a load in a process of its own. Its methods are called by one
// goroutine at a time.
type Process struct {
	cmd     *exec.Cmd
	orders  *json.Encoder
	in      io.Closer
	replies *json.Decoder
}

// Start runs command, which must call [Main] on its standard input and
// output, and starts a plan in it. It ends with its standard input.
func Start(command *exec.Cmd, plan Plan) (*Process, error) {
	in, err := command.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start judge: %w", err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start judge: %w", err)
	}
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start judge: %w", err)
	}
	p := &Process{cmd: command, orders: json.NewEncoder(in), in: in, replies: json.NewDecoder(bufio.NewReader(out))}
	if _, err := p.do(order{Do: "start", Plan: &plan}); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

func (p *Process) do(o order) (reply, error) {
	if err := p.orders.Encode(o); err != nil {
		return reply{}, fmt.Errorf("order judge to %s: %w", o.Do, err)
	}
	var r reply
	if err := p.replies.Decode(&r); err != nil {
		return reply{}, fmt.Errorf("judge ordered to %s: %w", o.Do, err)
	}
	if r.Error != "" {
		return reply{}, fmt.Errorf("judge ordered to %s: %s", o.Do, r.Error)
	}
	return r, nil
}

// Status says how far the load is.
func (p *Process) Status() (Status, error) {
	r, err := p.do(order{Do: "status"})
	if err != nil {
		return Status{}, err
	}
	return *r.Status, nil
}

// InFlight counts the writes to a server (any, when empty) that were under way
// at a moment.
func (p *Process) InFlight(server string, at time.Time) (int, error) {
	r, err := p.do(order{Do: "struck", Server: server, At: at})
	return r.InFlight, err
}

// Pause returns when no write is in flight, and none is sent until Resume.
func (p *Process) Pause() error { _, err := p.do(order{Do: "pause"}); return err }

// Resume ends a Pause.
func (p *Process) Resume() error { _, err := p.do(order{Do: "resume"}); return err }

// Rewound says that history was rewound on purpose.
func (p *Process) Rewound() error { _, err := p.do(order{Do: "rewound"}); return err }

// Finish is [Load.Finish].
func (p *Process) Finish(patience time.Duration) (Report, error) {
	r, err := p.do(order{Do: "finish", Patience: patience})
	if err != nil {
		return Report{}, err
	}
	return *r.Report, nil
}

// Close ends the process.
func (p *Process) Close() error {
	p.in.Close()
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("judge: %w", err)
	}
	return nil
}
