#!/bin/sh
# What one app needs to run, in the workspace: Node takes no TypeScript from a folder node_modules.
# For no platform, as what belongs to one is tools, and a Node of their own. Without types and maps,
# which nothing reads, and without pnpm's notes to itself, which have the time in them.
set -eu
pnpm install --prod --frozen-lockfile --os=none --cpu=none --filter-prod "@leque/$1..."
find node_modules -type f \( -name '*.d.ts' -o -name '*.d.[mc]ts' -o -name '*.map' \) -delete
rm node_modules/.modules.yaml node_modules/.pnpm-workspace-state*
