// A throw-away module: names the version of Cloud Foundry's lifecycle that lifecycle-real.ts builds. The lifecycle has no
// go.mod of its own, so the versions of what it needs are named here, too: the newest of some cannot be had.
module lab

go 1.26

require (
	code.cloudfoundry.org/archiver v0.76.0
	code.cloudfoundry.org/buildpackapplifecycle v0.0.0-20260218134613-caaa1a0fd61d
	code.cloudfoundry.org/bytefmt v0.78.0
	code.cloudfoundry.org/cacheddownloader v0.0.0-20250312193827-23c030d5e4f3
	code.cloudfoundry.org/credhub-cli v0.0.0-20260622130231-57c8cb0f1d6e
	code.cloudfoundry.org/goshims v0.104.0
	code.cloudfoundry.org/lager/v3 v3.75.0
	code.cloudfoundry.org/tlsconfig v0.60.0
	github.com/cespare/xxhash/v2 v2.3.0
)
