import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { problemFrom } from '../../api/problem.ts';
import { paths } from '../../paths.ts';
import { login } from '../../queries/session.ts';
import { S } from '../../strings.ts';
import { Command } from '../../ui/copy.tsx';
import { ProblemNote } from '../../ui/problem-note.tsx';
import { useGo } from '../go.ts';
import './login.css';

interface LoginPageProps {
  /** Page to open after the login. */
  readonly from: string | undefined;
}

type Phase = 'no_code' | 'trading' | 'refused' | 'failed';

/** A code works once: however often the page is drawn, it is sent once. */
const trades = new Map<string, ReturnType<typeof login>>();

/** Trades the code behind `#` for a session, or says how to get one. */
export function LoginPage({ from }: LoginPageProps) {
  const go = useGo();
  const cache = useQueryClient();
  const [code] = useState(takeCode);
  const [phase, setPhase] = useState<Phase>(code === '' ? 'no_code' : 'trading');
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    if (code === '') return;
    const trade = trades.get(code) ?? login(code);
    trades.set(code, trade);
    trade.then(
      () => {
        cache.clear();
        go(from ?? paths.runs(), { replace: true });
      },
      (reason: unknown) => {
        setError(reason);
        setPhase(problemFrom(reason).code === 'login_code_invalid' ? 'refused' : 'failed');
      },
    );
  }, [code, cache, go, from]);
  return (
    <main className="login">
      <div className="login-card">
        <p className="login-brand">{S.product}</p>
        <LoginText phase={phase} />
        {phase === 'failed' && <ProblemNote problem={problemFrom(error)} />}
      </div>
    </main>
  );
}

function LoginText({ phase }: { readonly phase: Phase }) {
  if (phase === 'trading') return <output>{S.login.trading}</output>;
  const title = {
    no_code: S.login.title,
    refused: S.login.usedTitle,
    failed: S.login.failedTitle,
  }[phase];
  const text = phase === 'refused' ? S.login.used : S.login.how;
  return (
    <>
      <h1>{title}</h1>
      {phase === 'no_code' && <p>{S.login.noCode}</p>}
      <p>{text}</p>
      <Command text={S.login.command} />
    </>
  );
}

/** The code leaves the address bar and the history before anything else happens. */
function takeCode(): string {
  const code = decodeURIComponent(window.location.hash.slice(1));
  if (code !== '') {
    window.history.replaceState(window.history.state, '', window.location.pathname);
  }
  return code;
}
