-- First answers to requests with an `Idempotency-Key`.

create table idempotency_keys (
  scope text collate "C" not null,
  key text collate "C" not null,
  request_sha256 text collate "C" not null,
  reply json not null,
  created_at timestamptz not null,
  primary key (scope, key)
);
create index idempotency_keys_age on idempotency_keys (created_at);
