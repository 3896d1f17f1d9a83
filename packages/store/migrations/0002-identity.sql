-- Who may ask for what. Secrets are stored as hashes only.

create table projects (
  id text collate "C" primary key,
  name text collate "C" not null unique,
  created_at timestamptz not null
);

create table users (
  id text collate "C" primary key,
  name text collate "C" not null unique,
  created_at timestamptz not null
);

create table memberships (
  project_id text collate "C" not null references projects on delete cascade,
  user_id text collate "C" not null references users on delete cascade,
  role text collate "C" not null check (role in ('owner', 'admin', 'operator', 'viewer')),
  created_at timestamptz not null,
  primary key (project_id, user_id)
);
create index memberships_of_user on memberships (user_id);

create table api_keys (
  id text collate "C" primary key,
  project_id text collate "C" not null references projects on delete cascade,
  user_id text collate "C" references users on delete cascade,
  name text not null,
  key_hash text collate "C" not null unique,
  scopes jsonb not null,
  created_at timestamptz not null,
  expires_at timestamptz,
  last_used_at timestamptz
) with (fillfactor = 70);
create index api_keys_page on api_keys (project_id, created_at, id);
create index api_keys_of_user on api_keys (user_id);

create table web_sessions (
  id text collate "C" primary key,
  token_hash text collate "C" not null unique,
  project_id text collate "C" not null references projects on delete cascade,
  user_id text collate "C" not null references users on delete cascade,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  last_seen_at timestamptz not null
) with (fillfactor = 70);
create index web_sessions_of_user on web_sessions (user_id);

create table login_codes (
  code_hash text collate "C" primary key,
  project_id text collate "C" not null references projects on delete cascade,
  user_id text collate "C" not null references users on delete cascade,
  created_at timestamptz not null,
  expires_at timestamptz not null
);
