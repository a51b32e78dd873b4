// Package metrics shows an operator how a server does: its metrics, in the
// format of Prometheus, and the profiles of the Go runtime.
//
// It promises that nothing that comes from outside is in a label: no project, no
// step, no token, no address. Every label has a few values that the program
// knows, so that neither secrets nor a flood of series get out this way. It is
// the only package that knows Prometheus; what it shows it asks the others for
// when somebody asks it.
package metrics

import (
	"math"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/stepcast/stepcast/internal/postgres"
	"github.com/stepcast/stepcast/internal/server"
)

// Sources are what is asked. Each is called for every request for metrics, and
// has to be quick.
type Sources struct {
	Version string // of the program
	Server  func() server.Stats
	Store   func() postgres.Stats
}

// Metrics are those of one process.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	times    *prometheus.HistogramVec
}

// New makes the metrics. Requests may be observed at once; what the sources say
// is there from Read on.
func New() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stepcast_http_requests_total",
			Help: "Requests that were answered, by route, method and class of the status.",
		}, []string{"route", "method", "class"}),
		times: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "stepcast_http_request_seconds",
			Help:    "Time until a request was answered. What lasts as long as its client likes is not in it.",
			Buckets: []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10},
		}, []string{"route", "method"}),
	}
	m.registry.MustRegister(m.requests, m.times, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Observe counts a request; it is what server.Config asks for.
func (m *Metrics) Observe(route, method string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, method, strconv.Itoa(status/100)+"xx").Inc()
	if took > 0 {
		m.times.WithLabelValues(route, method).Observe(took.Seconds())
	}
}

// Read has the sources asked from now on. It is called once.
func (m *Metrics) Read(from Sources) { m.registry.MustRegister(&reader{from}) }

// reader is a prometheus.Collector: it asks the sources.
type reader struct{ Sources }

// reading is a metric and where its value is.
type reading struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	of   func(*server.Stats, *postgres.Stats) float64
}

func read(name, help string, kind prometheus.ValueType, of func(*server.Stats, *postgres.Stats) float64) reading {
	return reading{prometheus.NewDesc(name, help, nil, nil), kind, of}
}

const (
	counter = prometheus.CounterValue
	gauge   = prometheus.GaugeValue
)

var readings = []reading{
	read("stepcast_streams_open", "Streams that are open, logs that are followed included.", gauge,
		func(s *server.Stats, _ *postgres.Stats) float64 { return float64(s.Streams) }),
	read("stepcast_stream_events_total", "Events that were sent over streams, to all of their readers.", counter,
		func(s *server.Stats, _ *postgres.Stats) float64 { return float64(s.Events) }),
	read("stepcast_stream_bytes_total", "Bytes that were sent over streams, to all of their readers.", counter,
		func(s *server.Stats, _ *postgres.Stats) float64 { return float64(s.Bytes) }),
	read("stepcast_commits_total", "Transactions that wrote to builds.", counter,
		func(_ *server.Stats, p *postgres.Stats) float64 { return float64(p.Commits) }),
	read("stepcast_events_total", "Events that were appended to builds' logs.", counter,
		func(_ *server.Stats, p *postgres.Stats) float64 { return float64(p.Events) }),
	read("stepcast_log_bytes_total", "Bytes of log text that were kept.", counter,
		func(_ *server.Stats, p *postgres.Stats) float64 { return float64(p.TextBytes) }),
	read("stepcast_log_bytes_over_quota_total", "Bytes of log text that were taken and not kept, since a quota was used up.", counter,
		func(_ *server.Stats, p *postgres.Stats) float64 { return float64(p.OverBytes) }),
	read("stepcast_lost_steps_total", "Steps whose reporter fell silent, as this process found out.", counter,
		func(_ *server.Stats, p *postgres.Stats) float64 { return float64(p.LostSteps) }),
	read("stepcast_write_queue_bytes", "What waits for the next commit; what is in one that is under way is no part of it.", gauge,
		func(_ *server.Stats, p *postgres.Stats) float64 { return float64(p.QueueBytes) }),
	read("stepcast_write_queue_limit_bytes", "What may wait for its commit before writes are refused.", gauge,
		func(_ *server.Stats, p *postgres.Stats) float64 { return float64(p.QueueMost) }),
	read("stepcast_database_connections_limit", "Connections that the pool for reading may have.", gauge,
		func(_ *server.Stats, p *postgres.Stats) float64 { return float64(p.ConnsMost) }),
	read("stepcast_database_waits_total", "Reads that had to wait for a connection of the pool.", counter,
		func(_ *server.Stats, p *postgres.Stats) float64 { return float64(p.ConnWaits) }),
	read("stepcast_database_wait_seconds_total", "Time that reads have waited for a connection of the pool.", counter,
		func(_ *server.Stats, p *postgres.Stats) float64 { return p.ConnWaiting.Seconds() }),
	read("stepcast_listen_age_seconds", "Time since news of other processes last proved to come; +Inf when it never did.", gauge,
		func(_ *server.Stats, p *postgres.Stats) float64 { return age(p.ListenAge) }),
	read("stepcast_sweep_age_seconds", "Time since silent reporters were last looked for; +Inf when they never were.", gauge,
		func(_ *server.Stats, p *postgres.Stats) float64 { return age(p.SweepAge) }),
}

// age is in seconds; of what never was it is without end.
func age(d time.Duration) float64 {
	if d < 0 {
		return math.Inf(1)
	}
	return d.Seconds()
}

var (
	refusedDesc     = prometheus.NewDesc("stepcast_refused_total", "What was refused, by the limit that was passed.", []string{"limit"}, nil)
	connectionsDesc = prometheus.NewDesc("stepcast_database_connections", "Connections of the pool for reading, by what they do.", []string{"state"}, nil)
	diskDesc        = prometheus.NewDesc("stepcast_disk_free_bytes", "What is left for the database on its disk, where this process can see that.", nil, nil)
	buildInfoDesc   = prometheus.NewDesc("stepcast_build_info", "1, with the versions of the program and of Go.", []string{"version", "go"}, nil)
)

// Describe implements prometheus.Collector.
func (r *reader) Describe(to chan<- *prometheus.Desc) {
	for _, one := range readings {
		to <- one.desc
	}
	to <- refusedDesc
	to <- connectionsDesc
	to <- diskDesc
	to <- buildInfoDesc
}

// Collect implements prometheus.Collector.
func (r *reader) Collect(to chan<- prometheus.Metric) {
	s, p := r.Server(), r.Store()
	for _, one := range readings {
		to <- prometheus.MustNewConstMetric(one.desc, one.kind, one.of(&s, &p))
	}
	for limit, n := range s.Refused {
		to <- prometheus.MustNewConstMetric(refusedDesc, counter, float64(n), limit)
	}
	to <- prometheus.MustNewConstMetric(refusedDesc, counter, float64(p.QueueFull), "write_queue")
	to <- prometheus.MustNewConstMetric(connectionsDesc, gauge, float64(p.ConnsInUse), "in_use")
	to <- prometheus.MustNewConstMetric(connectionsDesc, gauge, float64(p.ConnsIdle), "idle")
	if p.DiskFree >= 0 {
		to <- prometheus.MustNewConstMetric(diskDesc, gauge, float64(p.DiskFree))
	}
	to <- prometheus.MustNewConstMetric(buildInfoDesc, gauge, 1, r.Version, runtime.Version())
}
