# `docker buildx bake` builds all images for all platforms; see docs/reference/images.md. Variables come from the environment.

variable "PREFIX" {
  default = "skolo/"
}

variable "TAG" {
  default = "dev"
}

# Any Debian 12 with node on its PATH, for example your own mirror.
variable "BASE" {
  default = "node:24-bookworm-slim"
}

# Node publishes no binaries for arm/v7 after version 22.
variable "BASE_ARMV7" {
  default = "node:22-bookworm-slim"
}

# With npm, too.
variable "BUILD_BASE" {
  default = BASE
}

# `given` uses the existing output of `npm run bundle` instead of building it again.
variable "BUNDLE" {
  default = "built"
}

# `git rev-parse HEAD`
variable "REVISION" {
  default = ""
}

# The version that programs print; by default the one in package.json.
variable "VERSION" {
  default = ""
}

# `git log -1 --format=%cI`: the commit time, so that the same commit produces the same image.
variable "CREATED" {
  default = ""
}

# `git log -1 --format=%ct`: the same in seconds, for builders that write it into their output.
variable "SOURCE_DATE_EPOCH" {
  default = ""
}

# URL of the sources.
variable "SOURCE" {
  default = ""
}

platforms = {
  amd64 = "linux/amd64"
  arm64 = "linux/arm64"
  armv7 = "linux/arm/v7"
}

# arm/v7 machines run the agent, and people use the command on them. Everything else runs on jumphosts.
jumphosts = ["amd64", "arm64"]
machines  = ["amd64", "arm64", "armv7"]

images = [
  { name = "metadata-server", arch = jumphosts, does = "Tokens by the address of the caller, as on Google's cloud" },
  { name = "power-cycle-daemon", arch = jumphosts, does = "Power-cycles machines and phones, and proves that they came back" },
  { name = "router-backup", arch = jumphosts, does = "Backs up the configuration of routers and switches, and gives it back" },
  { name = "alert-to-pubsub", arch = jumphosts, does = "Alerts of Prometheus and Alertmanager to Google Pub/Sub" },
  { name = "machine-state", arch = jumphosts, does = "The state and history of every machine, and the console" },
  { name = "swarming-client", arch = machines, does = "The agent on every Pi: runs the Swarming bot, looks after the phone" },
  { name = "cli", arch = machines, does = "The skolo command" },
  { name = "chrony", arch = jumphosts, does = "The rack's time" },
]

# Each image on each of its platforms.
pairs = flatten([for image in images : [for arch in image.arch : { image = image, arch = arch }]])

group "default" {
  targets = [for image in images : image.name]
}

group "amd64" {
  targets = [for pair in pairs : "${pair.image.name}-amd64" if pair.arch == "amd64"]
}

group "arm64" {
  targets = [for pair in pairs : "${pair.image.name}-arm64" if pair.arch == "arm64"]
}

group "armv7" {
  targets = [for pair in pairs : "${pair.image.name}-armv7" if pair.arch == "armv7"]
}

# For all platforms, with attestations for the registry. Requires a builder that supports both: `docker buildx create --use`.
target "image" {
  matrix    = { image = images }
  name      = image.name
  inherits  = ["common"]
  target    = image.name
  tags      = ["${PREFIX}${image.name}:${TAG}"]
  labels    = labels(image)
  platforms = [for arch in image.arch : platforms[arch]]
  attest    = ["type=provenance,mode=max", "type=sbom"]
}

# For a single platform, which every builder supports and `--load` can load into the engine.
target "image-of" {
  matrix    = { pair = pairs }
  name      = "${pair.image.name}-${pair.arch}"
  inherits  = ["common"]
  target    = pair.image.name
  tags      = ["${PREFIX}${pair.image.name}:${TAG}"]
  labels    = labels(pair.image)
  platforms = [platforms[pair.arch]]
}

target "common" {
  args = {
    BASE              = BASE
    BASE_ARMV7        = BASE_ARMV7
    BUILD_BASE        = BUILD_BASE
    BUNDLE            = BUNDLE
    VERSION           = VERSION
    SOURCE_DATE_EPOCH = SOURCE_DATE_EPOCH != "" ? SOURCE_DATE_EPOCH : null
  }
}

function "labels" {
  params = [image]
  result = {
    for name, value in {
      "org.opencontainers.image.title"       = "skolo ${image.name}"
      "org.opencontainers.image.description" = image.does
      "org.opencontainers.image.licenses"    = "Apache-2.0"
      "org.opencontainers.image.source"      = SOURCE
      "org.opencontainers.image.revision"    = REVISION
      "org.opencontainers.image.version"     = VERSION
      "org.opencontainers.image.created"     = CREATED
    } : name => value if value != ""
  }
}
