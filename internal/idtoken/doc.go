// Package idtoken verifies ID tokens of CI jobs, by which a job proves what it
// is without having a secret: those of GitHub Actions and of GitLab CI.
//
// What it promises of a [Job] that [Verifier.Verify] returns:
//
//   - One of the configured issuers has signed for it, with a key of its own and
//     an asymmetric algorithm, for the configured audience, and the token is
//     good now, give or take [leeway].
//   - [Job.Run] is the name of the run that internal/cienv gives to it in the
//     job's own environment, made of what the issuer says alone: a job can get
//     at the builds of its own run ([Job.CheckBuild]), and at no others.
//   - It may report to the projects that a [Rule] names ([Job.CheckProject]),
//     and without one to none.
//
// Keys are asked for when they are needed, from the configured issuers and
// nobody else, in bounded time and size, and no more often than every
// [fetchEvery], whatever is sent here.
//
// The claims are described at
// https://docs.github.com/en/actions/reference/security/oidc and
// https://docs.gitlab.com/ci/secrets/id_token_authentication/.
package idtoken

import "github.com/stepcast/stepcast/internal/ci"

// The refusals.
const (
	Malformed      ci.Code = "id-token-malformed" // no token, or not one of a job
	WrongIssuer    ci.Code = "id-token-issuer"    // of somebody whose tokens are not taken
	WrongSignature ci.Code = "id-token-signature" // by no key of the issuer
	WrongAudience  ci.Code = "id-token-audience"  // made for others
	WrongTime      ci.Code = "id-token-time"      // expired, or not good yet
	NotAllowed     ci.Code = "runner-not-allowed" // a true one, but no rule lets the job in
	OtherRun       ci.Code = "build-of-other-run" // a build that is none of the job's run
	IssuerAway     ci.Code = "issuer-away"        // its keys could not be had; try again
)
