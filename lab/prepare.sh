#!/usr/bin/env bash
# Makes the lab's cached parts: about a minute once, nothing afterwards. lab/prepare.sh [4.17 | 4.20]…
set -euo pipefail
source "$(dirname "$0")/parts.sh"
for version in "${@:-4.17}"; do prepare "$version"; done
