#!/bin/sh
# Installs the production dependencies of one app into the workspace, because Node runs no TypeScript
# from a folder node_modules. Packages for a platform are left out: they are tools, and a second Node.
# Types, source maps and the state of pnpm are removed; the state has the time in it, which would make
# two builds of one commit differ.
set -eu
pnpm install --prod --frozen-lockfile --os=none --cpu=none --filter-prod "@leque/$1..."
find node_modules -type f \( -name '*.d.ts' -o -name '*.d.[mc]ts' -o -name '*.map' \) -delete
rm node_modules/.modules.yaml node_modules/.pnpm-workspace-state*
