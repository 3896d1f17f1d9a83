create table actions (
  id text collate "C" not null,
  project_id text collate "C" not null,
  run_id text collate "C" not null,
  task_id text collate "C" not null,
  attempt_id text collate "C" not null,
  call text not null,
  kind text collate "C" not null,
  name text not null,
  target text not null,
  effect text collate "C" not null,
  status text collate "C" not null,
  input_sha256 text collate "C",
  refs json not null,
  started_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  constraint actions_effect_check CHECK ((effect = ANY (ARRAY['local_read'::text, 'local_write'::text, 'external_read'::text, 'external_write'::text, 'external_irreversible'::text]))),
  constraint actions_end CHECK (((ended_at IS NULL) = (status = 'started'::text))),
  constraint actions_kind_check CHECK ((kind = ANY (ARRAY['tool_call'::text, 'env_acquire'::text, 'env_hold'::text, 'env_snapshot'::text, 'env_release'::text]))),
  constraint actions_status_check CHECK ((status = ANY (ARRAY['started'::text, 'succeeded'::text, 'failed'::text]))),
  constraint actions_pkey PRIMARY KEY (id)
);
CREATE INDEX actions_of_run ON public.actions USING btree (run_id);
CREATE INDEX actions_of_task ON public.actions USING btree (task_id, started_at, id);

create table api_keys (
  id text collate "C" not null,
  project_id text collate "C" not null,
  user_id text collate "C",
  name text not null,
  key_hash text collate "C" not null,
  scopes jsonb not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone,
  last_used_at timestamp with time zone,
  constraint api_keys_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE CASCADE,
  constraint api_keys_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
  constraint api_keys_pkey PRIMARY KEY (id),
  constraint api_keys_key_hash_key UNIQUE (key_hash)
) with (fillfactor=70);
CREATE INDEX api_keys_of_user ON public.api_keys USING btree (user_id);
CREATE INDEX api_keys_page ON public.api_keys USING btree (project_id, created_at, id);

create table artifacts (
  id text collate "C" not null,
  task_id text collate "C" not null,
  run_id text collate "C" not null,
  project_id text collate "C" not null,
  attempt_id text collate "C" not null,
  name text not null,
  kind text collate "C" not null,
  media_type text not null,
  size bigint not null,
  sha256 text collate "C" not null,
  meta json not null,
  created_at timestamp with time zone not null,
  constraint artifacts_size_check CHECK ((size >= 0)),
  constraint artifacts_pkey PRIMARY KEY (id)
);
CREATE INDEX artifacts_by_content ON public.artifacts USING btree (project_id, sha256);
CREATE INDEX artifacts_of_run ON public.artifacts USING btree (run_id, created_at, id);
CREATE INDEX artifacts_of_task ON public.artifacts USING btree (task_id, created_at, id);

create table attempts (
  id text collate "C" not null,
  task_id text collate "C" not null,
  run_id text collate "C" not null,
  project_id text collate "C" not null,
  number integer not null,
  generation integer not null,
  epoch bigint not null,
  worker_id text collate "C" not null,
  engine text collate "C" not null,
  status text collate "C" not null,
  failure_class text collate "C",
  reason text,
  conversation text,
  prompt_sha256 text collate "C",
  manifest json not null,
  manifest_sha256 text collate "C" not null,
  usage json,
  exit_code integer,
  result json,
  report_sha256 text collate "C",
  lease_seconds integer not null,
  lease_until timestamp with time zone not null,
  missed_beats integer not null,
  claimed_at timestamp with time zone not null,
  started_at timestamp with time zone,
  ended_at timestamp with time zone,
  orphan_result json,
  park_mode text collate "C",
  holds json,
  is_current boolean not null default ((ended_at IS NULL) AND (status <> 'stopping'::text)),
  constraint attempts_end CHECK (((ended_at IS NULL) = (status = ANY (ARRAY['claimed'::text, 'running'::text, 'parked'::text, 'stopping'::text])))),
  constraint attempts_epoch_check CHECK ((epoch >= 1)),
  constraint attempts_generation_check CHECK ((generation >= 1)),
  constraint attempts_lease_seconds_check CHECK ((lease_seconds >= 1)),
  constraint attempts_missed_beats_check CHECK ((missed_beats >= 0)),
  constraint attempts_number_check CHECK ((number >= 1)),
  constraint attempts_park_mode_check CHECK ((park_mode = ANY (ARRAY['live'::text, 'held'::text]))),
  constraint attempts_status_check CHECK ((status = ANY (ARRAY['claimed'::text, 'running'::text, 'parked'::text, 'stopping'::text, 'succeeded'::text, 'failed'::text, 'lost'::text, 'timed_out'::text, 'cancelled'::text, 'released'::text]))),
  constraint attempts_pkey PRIMARY KEY (id)
) with (autovacuum_vacuum_scale_factor=0.05, fillfactor=50);
CREATE INDEX attempts_by_time ON public.attempts USING brin (claimed_at);
CREATE UNIQUE INDEX attempts_of_task ON public.attempts USING btree (task_id, epoch);
CREATE UNIQUE INDEX attempts_one_open ON public.attempts USING btree (task_id) WHERE is_current;
CREATE INDEX attempts_open_of_run ON public.attempts USING btree (run_id) WHERE (ended_at IS NULL);
CREATE INDEX attempts_open_of_worker ON public.attempts USING btree (worker_id) WHERE (ended_at IS NULL);

create table awaits (
  id text collate "C" not null,
  project_id text collate "C" not null,
  run_id text collate "C" not null,
  task_id text collate "C" not null,
  attempt_id text collate "C" not null,
  generation integer not null,
  tasks json not null,
  crosses_runs boolean not null,
  policy text collate "C" not null,
  quorum integer,
  needed integer not null,
  status text collate "C" not null,
  settled boolean not null,
  partial boolean not null,
  results json not null,
  deadline_at timestamp with time zone not null,
  opened_at timestamp with time zone not null,
  closed_at timestamp with time zone,
  constraint awaits_end CHECK (((closed_at IS NULL) = (status = 'open'::text))),
  constraint awaits_generation_check CHECK ((generation >= 1)),
  constraint awaits_needed_check CHECK ((needed >= 1)),
  constraint awaits_policy_check CHECK ((policy = ANY (ARRAY['all'::text, 'any'::text, 'quorum'::text]))),
  constraint awaits_quorum CHECK (((quorum IS NOT NULL) = (policy = 'quorum'::text))),
  constraint awaits_settled CHECK (((NOT settled) OR (status <> 'open'::text))),
  constraint awaits_status_check CHECK ((status = ANY (ARRAY['open'::text, 'met'::text, 'expired'::text, 'cancelled'::text, 'replaced'::text]))),
  constraint awaits_pkey PRIMARY KEY (id)
);
CREATE INDEX awaits_across_runs ON public.awaits USING btree (id) WHERE (crosses_runs AND (status = 'open'::text));
CREATE INDEX awaits_of_run ON public.awaits USING btree (run_id) WHERE (NOT settled);
CREATE INDEX awaits_of_task ON public.awaits USING btree (task_id, opened_at, id);
CREATE UNIQUE INDEX awaits_one_open ON public.awaits USING btree (task_id) WHERE (status = 'open'::text);

create table budgets (
  id text collate "C" not null,
  project_id text collate "C" not null,
  scope text collate "C" not null,
  run_id text collate "C",
  limit_micros bigint not null,
  spent_micros bigint not null,
  reserved_micros bigint not null,
  reserve_micros bigint not null,
  warned boolean not null,
  constraint budgets_limit_micros_check CHECK ((limit_micros >= 0)),
  constraint budgets_reserve_micros_check CHECK ((reserve_micros >= 0)),
  constraint budgets_reserved_micros_check CHECK ((reserved_micros >= 0)),
  constraint budgets_scope_check CHECK ((scope = ANY (ARRAY['project'::text, 'run'::text, 'task'::text]))),
  constraint budgets_spent_micros_check CHECK ((spent_micros >= 0)),
  constraint budgets_pkey PRIMARY KEY (id)
) with (fillfactor=70, autovacuum_vacuum_scale_factor=0.05);
CREATE INDEX budgets_of_run ON public.budgets USING btree (run_id) WHERE (run_id IS NOT NULL);

create table checkpoints (
  id text collate "C" not null,
  project_id text collate "C" not null,
  run_id text collate "C" not null,
  task_id text collate "C",
  attempt_id text collate "C",
  client_id text collate "C",
  kind text collate "C" not null,
  question text not null,
  context json not null,
  options json not null,
  freeform boolean not null,
  default_option text,
  timeout_at timestamp with time zone,
  on_timeout text collate "C" not null,
  answer_by text collate "C" not null,
  resume text collate "C" not null,
  facts_sha256 text collate "C",
  status text collate "C" not null,
  resolution json,
  opened_by text not null,
  opened_at timestamp with time zone not null,
  closed_at timestamp with time zone,
  constraint checkpoints_answer_by_check CHECK ((answer_by = ANY (ARRAY['human'::text, 'any'::text]))),
  constraint checkpoints_decision CHECK (((status <> 'resolved'::text) OR (resolution IS NOT NULL))),
  constraint checkpoints_end CHECK (((closed_at IS NULL) = (status = 'open'::text))),
  constraint checkpoints_kind_check CHECK ((kind = ANY (ARRAY['question'::text, 'dispatch_approval'::text, 'plan_approval'::text, 'permission'::text, 'review'::text]))),
  constraint checkpoints_on_timeout_check CHECK ((on_timeout = ANY (ARRAY['use_default'::text, 'fail'::text, 'keep_waiting'::text]))),
  constraint checkpoints_resume_check CHECK ((resume = ANY (ARRAY['live'::text, 'held'::text, 'new_attempt'::text]))),
  constraint checkpoints_status_check CHECK ((status = ANY (ARRAY['open'::text, 'resolved'::text, 'timed_out'::text, 'cancelled'::text, 'superseded'::text]))),
  constraint checkpoints_pkey PRIMARY KEY (id)
);
CREATE INDEX checkpoints_of_attempt ON public.checkpoints USING btree (attempt_id) WHERE (attempt_id IS NOT NULL);
CREATE UNIQUE INDEX checkpoints_of_client ON public.checkpoints USING btree (attempt_id, client_id) WHERE ((attempt_id IS NOT NULL) AND (client_id IS NOT NULL));
CREATE INDEX checkpoints_of_run ON public.checkpoints USING btree (run_id, opened_at, id);
CREATE INDEX checkpoints_open ON public.checkpoints USING btree (project_id) WHERE (status = 'open'::text);
CREATE INDEX checkpoints_open_of_task ON public.checkpoints USING btree (task_id) WHERE (status = 'open'::text);
CREATE INDEX checkpoints_page ON public.checkpoints USING btree (project_id, opened_at, id);

create table consumers (
  name text collate "C" not null,
  incarnation bigint not null,
  pos bigint not null,
  updated_at timestamp with time zone not null,
  constraint consumers_pkey PRIMARY KEY (name)
) with (fillfactor=50);

create table dependencies (
  id text collate "C" not null,
  run_id text collate "C" not null,
  project_id text collate "C" not null,
  upstream_id text collate "C" not null,
  downstream_id text collate "C" not null,
  type text collate "C" not null,
  contract_key text collate "C",
  input_name text collate "C",
  rule text collate "C" not null,
  satisfied boolean not null,
  plan_version integer not null,
  constraint dependencies_input_contract CHECK (((type <> 'input'::text) OR (contract_key IS NOT NULL))),
  constraint dependencies_no_self_edge CHECK ((upstream_id <> downstream_id)),
  constraint dependencies_rule_check CHECK ((rule = ANY (ARRAY['success'::text, 'done'::text, 'failure'::text]))),
  constraint dependencies_type_check CHECK ((type = ANY (ARRAY['blocks'::text, 'input'::text, 'gate'::text, 'related'::text]))),
  constraint dependencies_pkey PRIMARY KEY (id)
) with (fillfactor=85, autovacuum_vacuum_scale_factor=0.05);
CREATE INDEX dependencies_in ON public.dependencies USING btree (downstream_id);
CREATE INDEX dependencies_of_run ON public.dependencies USING btree (run_id);
CREATE INDEX dependencies_out ON public.dependencies USING btree (upstream_id);

create table event_periods (
  period integer not null,
  first_pos bigint not null,
  began_at timestamp with time zone not null,
  constraint event_periods_period_check CHECK ((period >= 1)),
  constraint event_periods_pkey PRIMARY KEY (period)
);

create table events (
  pos bigint not null,
  project_id text collate "C" not null,
  run_id text collate "C",
  run_seq bigint,
  task_id text collate "C",
  attempt_id text collate "C",
  type text collate "C" not null,
  actor json not null,
  cause text collate "C",
  at timestamp with time zone not null,
  data json not null,
  period integer not null default current_event_period(),
  constraint events_check CHECK (((run_id IS NULL) = (run_seq IS NULL)))
);

create table events_1 (
  pos bigint not null,
  project_id text collate "C" not null,
  run_id text collate "C",
  run_seq bigint,
  task_id text collate "C",
  attempt_id text collate "C",
  type text collate "C" not null,
  actor json not null,
  cause text collate "C",
  at timestamp with time zone not null,
  data json not null,
  period integer not null default 1,
  constraint events_1_period CHECK ((period = 1)),
  constraint events_check CHECK (((run_id IS NULL) = (run_seq IS NULL))),
  constraint events_1_pkey PRIMARY KEY (pos)
);
CREATE INDEX events_1_of_delegation ON public.events_1 USING btree (project_id, type) WHERE (type = ANY (ARRAY['task.spawn_refused'::text, 'task.respawn_refused'::text, 'task.respawn_forced'::text, 'task.breaker_tripped'::text]));
CREATE UNIQUE INDEX events_1_of_run ON public.events_1 USING btree (run_id, run_seq) WHERE (run_id IS NOT NULL);

create table feed (
  id smallint not null,
  next_pos bigint not null,
  incarnation bigint not null,
  last_at timestamp with time zone not null,
  period integer not null default 1,
  mark text collate "C" not null default ''::text,
  constraint feed_id_check CHECK ((id = 1)),
  constraint feed_incarnation_check CHECK ((incarnation >= 1)),
  constraint feed_next_pos_check CHECK ((next_pos >= 1)),
  constraint feed_period_check CHECK ((period >= 1)),
  constraint feed_pkey PRIMARY KEY (id)
) with (fillfactor=10);

create table idempotency_keys (
  scope text collate "C" not null,
  key text collate "C" not null,
  request_sha256 text collate "C" not null,
  reply json not null,
  created_at timestamp with time zone not null,
  constraint idempotency_keys_pkey PRIMARY KEY (scope, key)
);
CREATE INDEX idempotency_keys_age ON public.idempotency_keys USING btree (created_at);

create table join_tokens (
  id text collate "C" not null,
  project_id text collate "C" not null,
  token_hash text collate "C" not null,
  name text collate "C",
  labels jsonb not null,
  max_uses integer not null,
  uses integer not null,
  ephemeral boolean not null,
  expires_at timestamp with time zone not null,
  created_by text not null,
  constraint join_tokens_check CHECK (((uses >= 0) AND (uses <= max_uses))),
  constraint join_tokens_max_uses_check CHECK ((max_uses >= 1)),
  constraint join_tokens_pkey PRIMARY KEY (id),
  constraint join_tokens_token_hash_key UNIQUE (token_hash)
);

create table limit_slots (
  id text collate "C" not null,
  project_id text collate "C" not null,
  limit_id text collate "C" not null,
  no integer not null,
  attempt_id text collate "C" not null,
  task_id text collate "C" not null,
  surplus boolean not null,
  constraint limit_slots_no_check CHECK ((no >= 1)),
  constraint limit_slots_surplus CHECK (((NOT surplus) OR (attempt_id <> ''::text))),
  constraint limit_slots_pkey PRIMARY KEY (id)
) with (fillfactor=70, autovacuum_vacuum_scale_factor=0.05);
CREATE INDEX limit_slots_free ON public.limit_slots USING btree (limit_id, no) WHERE ((attempt_id = ''::text) AND (NOT surplus));
CREATE INDEX limit_slots_held ON public.limit_slots USING btree (limit_id, no) WHERE (attempt_id <> ''::text);
CREATE INDEX limit_slots_surplus ON public.limit_slots USING btree (limit_id, no) WHERE surplus;

create table limits (
  id text collate "C" not null,
  project_id text collate "C" not null,
  key text collate "C" not null,
  max_running integer,
  rate_per_minute double precision,
  burst integer not null,
  tat double precision not null,
  updated_at timestamp with time zone not null,
  constraint limits_burst_check CHECK ((burst >= 1)),
  constraint limits_max_running_check CHECK ((max_running >= 0)),
  constraint limits_rate_per_minute_check CHECK ((rate_per_minute > (0)::double precision)),
  constraint limits_some CHECK (((max_running IS NOT NULL) OR (rate_per_minute IS NOT NULL))),
  constraint limits_pkey PRIMARY KEY (id)
) with (fillfactor=70);
CREATE INDEX limits_of_project ON public.limits USING btree (project_id, key);

create table log_chunks (
  attempt_id text collate "C" not null,
  stream text collate "C" not null,
  start_offset bigint not null,
  seq bigint not null,
  run_id text collate "C" not null,
  at timestamp with time zone not null,
  data bytea not null,
  constraint log_chunks_data_check CHECK ((octet_length(data) > 0)),
  constraint log_chunks_seq_check CHECK ((seq >= 1)),
  constraint log_chunks_start_offset_check CHECK ((start_offset >= 0)),
  constraint log_chunks_stream_check CHECK ((stream = ANY (ARRAY['stdout'::text, 'stderr'::text, 'agent'::text, 'system'::text]))),
  constraint log_chunks_pkey PRIMARY KEY (attempt_id, stream, start_offset)
);
CREATE UNIQUE INDEX log_chunks_in_order ON public.log_chunks USING btree (attempt_id, seq);
CREATE INDEX log_chunks_of_run ON public.log_chunks USING btree (run_id, at, attempt_id, seq);

create table log_heads (
  attempt_id text collate "C" not null,
  seq bigint not null,
  offsets jsonb not null,
  prev_offset bigint not null,
  seen_offset bigint not null,
  constraint log_heads_pkey PRIMARY KEY (attempt_id)
) with (fillfactor=50, autovacuum_vacuum_scale_factor=0.05);

create table login_codes (
  code_hash text collate "C" not null,
  project_id text collate "C" not null,
  user_id text collate "C" not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  constraint login_codes_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE CASCADE,
  constraint login_codes_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
  constraint login_codes_pkey PRIMARY KEY (code_hash)
);

create table memberships (
  project_id text collate "C" not null,
  user_id text collate "C" not null,
  role text collate "C" not null,
  created_at timestamp with time zone not null,
  constraint memberships_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'operator'::text, 'viewer'::text]))),
  constraint memberships_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE CASCADE,
  constraint memberships_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
  constraint memberships_pkey PRIMARY KEY (project_id, user_id)
);
CREATE INDEX memberships_of_user ON public.memberships USING btree (user_id);

create table meta (
  key text collate "C" not null,
  value jsonb not null,
  constraint meta_pkey PRIMARY KEY (key)
);

create table needs (
  id text collate "C" not null,
  project_id text collate "C" not null,
  needs json not null,
  constraint needs_pkey PRIMARY KEY (id)
);
CREATE INDEX needs_of_project ON public.needs USING btree (project_id);

create table notes (
  id text collate "C" not null,
  task_id text collate "C" not null,
  run_id text collate "C" not null,
  project_id text collate "C" not null,
  author text not null,
  text text not null,
  urgent boolean not null,
  created_at timestamp with time zone not null,
  constraint notes_pkey PRIMARY KEY (id)
);
CREATE INDEX notes_of_task ON public.notes USING btree (task_id, created_at, id);

create table outputs (
  id text collate "C" not null,
  task_id text collate "C" not null,
  run_id text collate "C" not null,
  project_id text collate "C" not null,
  attempt_id text collate "C" not null,
  generation integer not null,
  key text collate "C" not null,
  type text collate "C" not null,
  data json not null,
  sha256 text collate "C" not null,
  fulfilled_at timestamp with time zone not null,
  constraint outputs_pkey PRIMARY KEY (id)
);
CREATE INDEX outputs_of_task ON public.outputs USING btree (task_id, generation, key);

create table parkings (
  id text collate "C" not null,
  project_id text collate "C" not null,
  engine text collate "C" not null,
  account text,
  worker_id text collate "C" not null,
  until timestamp with time zone not null,
  reason text not null,
  constraint parkings_pkey PRIMARY KEY (id)
);
CREATE INDEX parkings_of_project ON public.parkings USING btree (project_id);

create table plan_parts (
  id text collate "C" not null,
  run_id text collate "C" not null,
  project_id text collate "C" not null,
  part integer not null,
  tasks json not null,
  edges json not null,
  constraint plan_parts_part_check CHECK ((part >= 0)),
  constraint plan_parts_pkey PRIMARY KEY (id)
);
CREATE INDEX plan_parts_of_run ON public.plan_parts USING btree (run_id);

create table projects (
  id text collate "C" not null,
  name text collate "C" not null,
  created_at timestamp with time zone not null,
  constraint projects_pkey PRIMARY KEY (id),
  constraint projects_name_key UNIQUE (name)
);

create table purged_ids (
  project_id text collate "C" not null,
  id text collate "C" not null,
  purged_at timestamp with time zone not null,
  constraint purged_ids_pkey PRIMARY KEY (project_id, id)
);
CREATE INDEX purged_ids_age ON public.purged_ids USING btree (purged_at);

create table ready (
  task_id text collate "C" not null,
  run_id text collate "C" not null,
  project_id text collate "C" not null,
  needs_id text collate "C" not null,
  priority smallint not null,
  pass double precision not null,
  seq bigint not null,
  held text collate "C",
  constraint ready_priority_check CHECK (((priority >= 0) AND (priority <= 3))),
  constraint ready_pkey PRIMARY KEY (task_id)
) with (autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=200);
CREATE INDEX ready_heads ON public.ready USING btree (project_id, needs_id, priority, pass, seq) WHERE (held IS NULL);
CREATE INDEX ready_unfunded ON public.ready USING btree (run_id) WHERE (held = 'budget'::text);

create table runs (
  id text collate "C" not null,
  project_id text collate "C" not null,
  goal text not null,
  status text collate "C" not null,
  reason text,
  planning text collate "C" not null,
  source text collate "C" not null,
  input json not null,
  labels jsonb not null,
  policy json not null,
  budgets json,
  deliver text collate "C" not null,
  delivery json not null,
  delivery_order json,
  delivery_worker_id text collate "C",
  bases json not null,
  plan_version integer not null,
  seq bigint not null,
  task_count integer not null,
  open_tasks integer not null,
  out_of_play integer not null,
  active_tasks integer not null,
  failed_tasks integer not null,
  cancelled_tasks integer not null,
  needs_human integer not null,
  usd_micros bigint not null,
  lineage_root text collate "C" not null,
  rerun_of text collate "C",
  origin text collate "C",
  created_by text not null,
  created_at timestamp with time zone not null,
  started_at timestamp with time zone,
  ended_at timestamp with time zone,
  updated_at timestamp with time zone not null,
  deleted_at timestamp with time zone,
  purge_at timestamp with time zone,
  barrier_id text collate "C",
  open_awaits integer not null default 0,
  pass double precision not null default 0,
  is_unfunded boolean not null default ((status = 'paused'::text) AND (NOT (reason IS DISTINCT FROM 'budget'::text))),
  version bigint not null default 0,
  constraint runs_cancelled_tasks_check CHECK ((cancelled_tasks >= 0)),
  constraint runs_check CHECK (((open_tasks >= 0) AND (open_tasks <= task_count))),
  constraint runs_check1 CHECK (((out_of_play >= 0) AND (out_of_play <= open_tasks))),
  constraint runs_check2 CHECK (((active_tasks >= 0) AND (active_tasks <= open_tasks))),
  constraint runs_deliver_check CHECK ((deliver = ANY (ARRAY['branch'::text, 'merge'::text, 'pull_request'::text, 'none'::text]))),
  constraint runs_end CHECK (((ended_at IS NOT NULL) = (status = ANY (ARRAY['completed'::text, 'failed'::text, 'cancelled'::text])))),
  constraint runs_failed_tasks_check CHECK ((failed_tasks >= 0)),
  constraint runs_needs_human_check CHECK ((needs_human >= 0)),
  constraint runs_open_awaits_check CHECK ((open_awaits >= 0)),
  constraint runs_planning_check CHECK ((planning = ANY (ARRAY['idle'::text, 'active'::text]))),
  constraint runs_seq_check CHECK ((seq >= 0)),
  constraint runs_status_check CHECK ((status = ANY (ARRAY['planning'::text, 'running'::text, 'waiting'::text, 'paused'::text, 'cancelling'::text, 'completed'::text, 'failed'::text, 'cancelled'::text]))),
  constraint runs_task_count_check CHECK ((task_count >= 0)),
  constraint runs_usd_micros_check CHECK ((usd_micros >= 0)),
  constraint runs_pkey PRIMARY KEY (id)
) with (fillfactor=70, autovacuum_vacuum_scale_factor=0.05);
CREATE INDEX runs_delivering ON public.runs USING btree (delivery_worker_id) WHERE (delivery_worker_id IS NOT NULL);
CREATE INDEX runs_page ON public.runs USING btree (project_id, created_at, id);
CREATE INDEX runs_to_purge ON public.runs USING btree (purge_at, id) WHERE (purge_at IS NOT NULL);
CREATE INDEX runs_unfunded ON public.runs USING btree (project_id) WHERE is_unfunded;

create table task_specs (
  task_id text collate "C" not null,
  run_id text collate "C" not null,
  project_id text collate "C" not null,
  title text not null,
  spec json not null,
  review json not null,
  parent_task_id text collate "C",
  rerun_of text collate "C",
  origin text collate "C",
  plan json,
  depth integer not null default 0,
  chain text collate "C",
  failures_in_row integer not null default 0,
  wakes integer not null default 0,
  constraint task_specs_depth_check CHECK ((depth >= 0)),
  constraint task_specs_failures_in_row_check CHECK ((failures_in_row >= 0)),
  constraint task_specs_wakes_check CHECK ((wakes >= 0)),
  constraint task_specs_pkey PRIMARY KEY (task_id)
);
CREATE INDEX task_specs_of_origin ON public.task_specs USING btree (project_id, origin) WHERE (origin IS NOT NULL);
CREATE INDEX task_specs_of_parent ON public.task_specs USING btree (parent_task_id) WHERE (parent_task_id IS NOT NULL);
CREATE INDEX task_specs_of_run ON public.task_specs USING btree (run_id);

create table tasks (
  id text collate "C" not null,
  run_id text collate "C" not null,
  project_id text collate "C" not null,
  key text collate "C" not null,
  position integer not null,
  kind text collate "C" not null,
  status text collate "C" not null,
  reason text,
  paused_from text collate "C",
  generation integer not null,
  epoch bigint not null,
  plan_version integer not null,
  pending integer not null,
  out_of_play boolean not null,
  approved boolean not null,
  attempt_count integer not null,
  free_retries integer not null,
  attempt_id text collate "C",
  result_attempt_id text collate "C",
  worker_id text collate "C",
  assigned_worker text collate "C",
  needs_id text collate "C" not null,
  priority smallint not null,
  checkpoint_id text collate "C",
  progress json,
  outdated boolean not null,
  failure_class text collate "C",
  feedback text,
  retry_at timestamp with time zone,
  usd_micros bigint not null,
  created_at timestamp with time zone not null,
  ready_at timestamp with time zone,
  started_at timestamp with time zone,
  ended_at timestamp with time zone,
  updated_at timestamp with time zone not null,
  rejected boolean not null default false,
  fresh_generation integer not null default 1,
  deleted_at timestamp with time zone,
  purge_at timestamp with time zone,
  continue_attempt_id text collate "C",
  wake json,
  verification json,
  verifies json,
  constraint tasks_attempt_count_check CHECK ((attempt_count >= 0)),
  constraint tasks_end CHECK (((ended_at IS NOT NULL) = (status = ANY (ARRAY['completed'::text, 'failed'::text, 'cancelled'::text, 'skipped'::text, 'superseded'::text])))),
  constraint tasks_epoch_check CHECK ((epoch >= 0)),
  constraint tasks_free_retries_check CHECK ((free_retries >= 0)),
  constraint tasks_generation_check CHECK ((generation >= 1)),
  constraint tasks_kind_check CHECK ((kind = ANY (ARRAY['agent'::text, 'command'::text, 'plan'::text, 'verify'::text, 'integrate'::text, 'join'::text, 'human'::text]))),
  constraint tasks_out_of_play CHECK (((NOT out_of_play) OR (status = 'blocked'::text))),
  constraint tasks_paused_from CHECK (((paused_from IS NOT NULL) = (status = 'paused'::text))),
  constraint tasks_pending_check CHECK ((pending >= 0)),
  constraint tasks_priority_check CHECK (((priority >= 0) AND (priority <= 3))),
  constraint tasks_running_attempt CHECK (((status <> 'running'::text) OR (attempt_id IS NOT NULL))),
  constraint tasks_status_check CHECK ((status = ANY (ARRAY['blocked'::text, 'awaiting_approval'::text, 'ready'::text, 'running'::text, 'waiting'::text, 'verifying'::text, 'paused'::text, 'completed'::text, 'failed'::text, 'cancelled'::text, 'skipped'::text, 'superseded'::text]))),
  constraint tasks_usd_micros_check CHECK ((usd_micros >= 0)),
  constraint tasks_pkey PRIMARY KEY (id)
) with (autovacuum_vacuum_scale_factor=0.05, fillfactor=50);
CREATE INDEX tasks_of_run ON public.tasks USING btree (run_id, "position", id);
CREATE INDEX tasks_page ON public.tasks USING btree (project_id, created_at, id);
CREATE INDEX tasks_to_purge ON public.tasks USING btree (purge_at, id) WHERE (purge_at IS NOT NULL);

create table timers (
  id text collate "C" not null,
  project_id text collate "C" not null,
  run_id text collate "C" not null,
  task_id text collate "C",
  attempt_id text collate "C",
  checkpoint_id text collate "C",
  kind text collate "C" not null,
  guard bigint not null,
  due_at timestamp with time zone not null,
  constraint timers_pkey PRIMARY KEY (id)
) with (autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=200);
CREATE INDEX timers_due ON public.timers USING btree (due_at, id);
CREATE INDEX timers_of_run ON public.timers USING btree (run_id);
CREATE INDEX timers_of_task ON public.timers USING btree (task_id) WHERE (task_id IS NOT NULL);

create table users (
  id text collate "C" not null,
  name text collate "C" not null,
  created_at timestamp with time zone not null,
  constraint users_pkey PRIMARY KEY (id),
  constraint users_name_key UNIQUE (name)
);

create table web_sessions (
  id text collate "C" not null,
  token_hash text collate "C" not null,
  project_id text collate "C" not null,
  user_id text collate "C" not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  last_seen_at timestamp with time zone not null,
  constraint web_sessions_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE CASCADE,
  constraint web_sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
  constraint web_sessions_pkey PRIMARY KEY (id),
  constraint web_sessions_token_hash_key UNIQUE (token_hash)
) with (fillfactor=70);
CREATE INDEX web_sessions_of_user ON public.web_sessions USING btree (user_id);

create table workers (
  id text collate "C" not null,
  project_id text collate "C" not null,
  name text collate "C" not null,
  machine_id text collate "C",
  labels jsonb not null,
  capabilities jsonb not null,
  slots integer not null,
  draining boolean not null,
  ephemeral boolean not null,
  version text,
  key_hash text collate "C" not null,
  incarnation text collate "C",
  presence text collate "C" not null,
  last_seen_at timestamp with time zone,
  last_claim_at timestamp with time zone,
  warm_repos jsonb not null,
  registered_at timestamp with time zone not null,
  leaving boolean not null default false,
  changes bigint not null default 0,
  constraint workers_presence_check CHECK ((presence = ANY (ARRAY['online'::text, 'silent'::text, 'offline'::text]))),
  constraint workers_slots_check CHECK ((slots >= 0)),
  constraint workers_pkey PRIMARY KEY (id),
  constraint workers_key_hash_key UNIQUE (key_hash),
  constraint workers_project_id_name_key UNIQUE (project_id, name)
) with (fillfactor=50, autovacuum_vacuum_scale_factor=0.05);

CREATE OR REPLACE FUNCTION public.create_event_period(wanted integer)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  part text := 'events_' || wanted;
begin
  if to_regclass(part) is not null then
    return;
  end if;
  execute format('create table %I (like events including constraints)', part);
  execute format('alter table %I add primary key (pos)', part);
  execute format('create unique index %I on %I (run_id, run_seq) where run_id is not null',
                 part || '_of_run', part);
  perform index_event_delegation(part);
  execute format('alter table %I add constraint %I check (period = %s)',
                 part, part || '_period', wanted);
  execute format('alter table events attach partition %I for values in (%s)', part, wanted);
end
$function$;

CREATE OR REPLACE FUNCTION public.current_event_period()
 RETURNS integer
 LANGUAGE sql
AS $function$
  select period from feed where id = 1
$function$;

CREATE OR REPLACE FUNCTION public.expect_rows(counted bigint, expected bigint, statement text)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
begin
  if counted <> expected then
    raise exception '%: % of % rows', statement, counted, expected using errcode = '40001';
  end if;
  return counted;
end
$function$;

CREATE OR REPLACE FUNCTION public.index_event_delegation(part text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  execute format('create index if not exists %I on %I (project_id, type) where type in
                   (''task.spawn_refused'', ''task.respawn_refused'', ''task.respawn_forced'',
                    ''task.breaker_tripped'')', part || '_of_delegation', part);
end
$function$;
