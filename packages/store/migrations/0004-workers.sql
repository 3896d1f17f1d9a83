-- The fleet. Beats change columns of no index.

create table workers (
  id text collate "C" primary key,
  project_id text collate "C" not null,
  name text collate "C" not null,
  machine_id text collate "C",
  labels jsonb not null,
  capabilities jsonb not null,
  slots integer not null check (slots >= 0),
  draining boolean not null,
  ephemeral boolean not null,
  version text,
  key_hash text collate "C" not null unique,
  incarnation text collate "C",
  presence text collate "C" not null check (presence in ('online', 'silent', 'offline')),
  last_seen_at timestamptz,
  last_claim_at timestamptz,
  warm_repos jsonb not null,
  registered_at timestamptz not null,
  unique (project_id, name)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

create table join_tokens (
  id text collate "C" primary key,
  project_id text collate "C" not null,
  token_hash text collate "C" not null unique,
  name text collate "C",
  labels jsonb not null,
  max_uses integer not null check (max_uses >= 1),
  uses integer not null check (uses between 0 and max_uses),
  ephemeral boolean not null,
  expires_at timestamptz not null,
  created_by text not null
);
