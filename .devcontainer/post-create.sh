#!/bin/sh
# What the image and its features do not bring: a browser for the tests, Core Tools, and the project's own environment.
set -eu
sudo apt-get update -qq
sudo DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium fonts-dejavu-core
npm install --global --no-audit --no-fund azure-functions-core-tools@4.15.1
make setup
