-- Turns "fewer rows than expected" into an error inside the transaction, so that a write whose
-- condition no longer holds can travel together with COMMIT and still undo everything.

create function expect_rows(counted bigint, expected bigint, statement text) returns bigint
language plpgsql as $$
begin
  if counted <> expected then
    raise exception '%: % of % rows', statement, counted, expected using errcode = '40001';
  end if;
  return counted;
end
$$;
