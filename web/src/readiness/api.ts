import { type Query, read, send } from "../api/client";
import type { By, Compared, Groups, Networks, OneAs, OneGroup, Periods, Profiles, Providers, Verdict, VerdictName } from "./types";

/** What every question has: by which profile, of which period; the server's own where they are null. */
export interface Asked {
  profile: string | null;
  period: string | null;
}

const to = (path: string) => `/readiness/${path}`;
const part = encodeURIComponent;
const verdictOf = (incident: string) => `/incidents/${part(incident)}/verdict`;

export const readiness = {
  profiles: (signal?: AbortSignal) => read<Profiles>(to("profiles"), {}, signal),
  periods: (signal?: AbortSignal) => read<Periods>(to("periods"), {}, signal),
  groups: (by: By, asked: Asked, signal?: AbortSignal) => read<Groups>(to(`groups/${by}`), { ...asked }, signal),
  group: (by: By, id: string, asked: Asked, signal?: AbortSignal) =>
    read<OneGroup>(to(`groups/${by}/${part(id)}`), { ...asked }, signal),
  networks: (query: Query, asked: Asked, signal?: AbortSignal) => read<Networks>(to("ases"), { ...query, ...asked }, signal),
  as: (asn: number, asked: Asked, signal?: AbortSignal) => read<OneAs>(to(`ases/${asn}`), { ...asked }, signal),
  compare: (asns: readonly number[], asked: Asked, signal?: AbortSignal) =>
    read<Compared>(to("compare"), { asns: asns.join(","), ...asked }, signal),
  providers: (asns: readonly number[], asked: Asked, signal?: AbortSignal) =>
    read<Providers>(to("providers"), { asns: asns.join(","), ...asked }, signal),
  judge: (incident: string, verdict: VerdictName, note: string) => send<Verdict>("PUT", verdictOf(incident), { verdict, note }),
  withdrawVerdict: (incident: string) => send("DELETE", verdictOf(incident)),
};
