// Package cienv reads what a CI system's environment says of a build. It is a
// pure function of the environment, and it never fails: what a variable says
// that cannot be right is left out, that one field alone.
//
// # Which system
//
// Systems start each other's agents and hand their environment down, so the
// markers of several may be set. Asked are, in this order: GitHub Actions with
// Forgejo's and Gitea's, GitLab, Buildkite, CircleCI, Azure Pipelines,
// Woodpecker, Drone, Travis, Semaphore, AppVeyor, Codefresh, TeamCity, Bitrise,
// Bitbucket Pipelines, Jenkins. The first that has set its own marker is it: markers that
// a system's own runner sets for each job come before Jenkins, whose variables
// are also set by hand and inherited by agents of others, and Woodpecker before
// Drone, whose variables it may set too. Bitbucket has no marker but the number
// of a build, which jobs elsewhere set for the sake of its scripts. CI=true
// alone is no system.
//
// # Run: what is a build
//
// Every job of one run computes the same Run, on whatever machine; a new
// attempt of the whole has another. So Run is made only of what the system
// itself gives every job of a run alike. Without that, Run is "", and the
// caller makes up an id: a build of its own for each job, but never a stranger
// in somebody else's build.
//
//	GitHub      server, repository, run id, attempt: every re-run counts, also
//	            that of failed jobs alone, which is a build of those jobs
//	Forgejo,    repository, run id, commit, attempt: the server's address is
//	Gitea       the one that the runner was registered with, and may differ.
//	            Some versions count attempts by job: after a re-run of one job
//	            a re-run of all is split; those that set no attempt cannot
//	            tell a re-run apart
//	GitLab      server, pipeline id: a retried job stays in it
//	Buildkite   build id: a rebuild has another, a retried job stays in it
//	CircleCI    workflow id: every rerun, also from failed, has another
//	Azure       collection id, build id: retried stages and jobs stay in it
//	Woodpecker  server, repository, pipeline number and time: a restart has
//	            another number
//	Drone       server, repository, build number and time: likewise
//	Travis      server, build id; "" for a restarted job, as neither how often
//	            nor whether alone is said
//	Semaphore   pipeline id: a rerun, also of failed jobs alone, has another,
//	            and so has each pipeline that a workflow is promoted to
//	AppVeyor    server, build id: a re-build has another; "" for a job that is
//	            re-run in it, as how often is not said
//	Codefresh   server, build id: a restart, also from a failed step, has another
//	TeamCity    server, build id: a re-run has another, and so has each build of
//	            a chain; "" where no address of the build is set
//	Bitrise     pipeline id, or of a workflow outside of one the build's: a
//	            rebuild has another, but workflows that are rebuilt alone stay
//	            in their pipeline
//	Bitbucket   pipeline id: rerun steps stay in it
//	Jenkins     the build's address: rebuild and replay have another
//
// act, which runs GitHub's workflows locally, numbers every run 1: Run is "".
//
// # Step: what is a job
//
// Step tells the jobs of a run apart, and parallel and matrix copies as far as
// the environment does. Where it names no job, as in Bitbucket, a piece of the
// job's id stands for the name: without a Step the name of the command would,
// which several jobs may share. A job that was retried alone reports into the
// same build under a key that ends in -2, -3 …, as its first try is over and its
// log stays. Retry says which try it is; where the system does not, the client
// takes the next key that is free, and another build once that one has ended.
package cienv
