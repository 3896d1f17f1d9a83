-- Batches decided from memory check what they take for granted where they are written: how often a
-- worker's row was changed, and the end of the feed. Its `mark` is another one after every commit that
-- tells events, and after whoever must be sure that no write given before comes through any more.

alter table workers
  add column changes bigint not null default 0;

alter table feed
  add column mark text collate "C" not null default '';
