#!/bin/sh
# Makes the small repository that the examples work on: sh make-wordkit.sh FOLDER
set -eu
folder=${1:?say where: sh make-wordkit.sh FOLDER}
library=$(dirname "$0")/../apps/cli/demo/wordkit
mkdir -p "$folder"
cp -R "$library/." "$folder"
cd "$folder"
mv package.template.json package.json
git init --quiet
git symbolic-ref HEAD refs/heads/main
git add --all
git -c user.name='Baton example' -c user.email=example@baton.invalid \
  commit --quiet --no-verify --message 'wordkit: words of a text'
echo "$folder is ready"
