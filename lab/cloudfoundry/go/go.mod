// A throw-away module: names the version of Cloud Foundry's lifecycle that lifecycle-real.ts builds.
module lab

go 1.24

require code.cloudfoundry.org/buildpackapplifecycle v0.0.0-20260218134613-caaa1a0fd61d
