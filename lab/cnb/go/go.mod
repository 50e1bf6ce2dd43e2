// A throw-away module: names the version of the Cloud Native Buildpacks' lifecycle that lifecycle-real.ts builds.
module lab

go 1.24

require github.com/buildpacks/lifecycle v0.21.0
