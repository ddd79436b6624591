// Pipedrive importer: people and organizations are still on API v1, deals moved to v2.
//
//   node pipedrive.ts persons|organizations|deals [--limit 500] [--id 101]
//
// PIPEDRIVE_API_DOMAIN is the company's own host, as the token answer names it (https://acme.pipedrive.com).
import { setTimeout as sleep } from "node:timers/promises";

const OAUTH = "https://oauth.pipedrive.com/oauth/token";
const DEFAULT_LIMIT = 500;
const MAX_ATTEMPTS = 4;

interface Envelope<T> {
  success: boolean;
  data: T | null;
  error?: string;
  additional_data?: {
    pagination?: { start: number; limit: number; more_items_in_collection: boolean; next_start?: number };
    next_cursor?: string | null;
  } | null;
}

interface LabelledValue {
  label?: string;
  value: string;
  primary: boolean;
}

interface Reference {
  value: number;
  name: string;
}

// Custom fields stand beside these, under keys of 40 hex digits (and the same with _currency and the like behind).
interface Person {
  [customField: string]: unknown;
  id: number;
  name: string | null;
  first_name: string | null;
  last_name: string | null;
  owner_id: Reference | null;
  org_id: Reference | null;
  phone: LabelledValue[] | null;
  email: LabelledValue[] | null;
  job_title: string | null;
  add_time: string | null;
  update_time: string | null;
}

interface Organization {
  [customField: string]: unknown;
  id: number;
  name: string | null;
  owner_id: Reference | null;
  website: string | null;
  industry: number | null;
  employee_count: number | null;
  add_time: string | null;
  update_time: string | null;
}

interface Deal {
  id: number;
  title: string | null;
  owner_id: number | null;
  person_id: number | null;
  org_id: number | null;
  pipeline_id: number | null;
  stage_id: number | null;
  value: number | null;
  currency: string | null;
  status: "open" | "won" | "lost" | "deleted";
  probability: number | null;
  lost_reason: string | null;
  expected_close_date: string | null;
  close_time: string | null;
  add_time: string;
  update_time: string | null;
  custom_fields: Record<string, unknown>;
}

type UnifiedRecord = { id: string } & Record<string, unknown>;

const domain = process.env.PIPEDRIVE_API_DOMAIN ?? "https://api.pipedrive.com";
let token = process.env.PIPEDRIVE_TOKEN ?? "";

async function renewToken(): Promise<void> {
  const client = `${process.env.PIPEDRIVE_CLIENT_ID}:${process.env.PIPEDRIVE_CLIENT_SECRET}`;
  const response = await fetch(OAUTH, {
    method: "POST",
    headers: {
      Authorization: `Basic ${Buffer.from(client).toString("base64")}`,
      "Content-Type": "application/x-www-form-urlencoded",
    },
    body: `grant_type=refresh_token&refresh_token=${encodeURIComponent(process.env.PIPEDRIVE_REFRESH_TOKEN ?? "")}`,
  });
  if (!response.ok) throw new Error(`token not renewed: ${response.status} ${await response.text()}`);
  token = ((await response.json()) as { access_token: string }).access_token;
}

async function request<T>(path: string, params: Record<string, string | number> = {}): Promise<Envelope<T>> {
  const url = new URL(path, domain);
  for (const [name, value] of Object.entries(params)) url.searchParams.set(name, String(value));

  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const response = await fetch(url, { headers: { Authorization: `Bearer ${token}` } });
    if (response.status === 401 && attempt === 1 && process.env.PIPEDRIVE_REFRESH_TOKEN) {
      await renewToken();
      continue;
    }
    if (response.status === 429) {
      if (response.headers.get("x-daily-ratelimit-token-remaining") === "0") {
        throw new Error("the daily token budget of the company is used up");
      }
      // seconds, not a time
      await sleep(1000 * Number(response.headers.get("x-ratelimit-reset") ?? 2));
      continue;
    }
    const envelope = (await response.json()) as Envelope<T>;
    if (!response.ok || !envelope.success) {
      throw new Error(`Pipedrive ${response.status} on ${path}: ${envelope.error ?? "success is false"}`);
    }
    return envelope;
  }
  throw new Error(`Pipedrive kept throttling ${path}`);
}

async function listV1<T>(path: string, limit: number): Promise<T[]> {
  const items: T[] = [];
  let start = 0;
  for (;;) {
    const { data, additional_data } = await request<T[]>(`/api/v1/${path}`, { start, limit });
    items.push(...(data ?? [])); // nothing found is null
    const pagination = additional_data?.pagination;
    if (!pagination?.more_items_in_collection || pagination.next_start === undefined) return items;
    start = pagination.next_start;
  }
}

async function listV2<T>(path: string, limit: number): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const page: Envelope<T[]> = await request<T[]>(`/api/v2/${path}`, cursor === null ? { limit } : { limit, cursor });
    items.push(...(page.data ?? []));
    cursor = page.additional_data?.next_cursor ?? null;
  } while (cursor);
  return items;
}

const text = (id: number | null | undefined): string | null => (id == null ? null : String(id));

/** v1 says "2026-05-15 10:16:44" and means UTC. */
const utc = (time: string | null): string | null => (time === null ? null : `${time.replace(" ", "T")}Z`);

/** The form always has one empty row; it is no value. */
function filledIn(rows: LabelledValue[] | null): LabelledValue[] {
  const filled = (rows ?? []).filter((row) => row.value !== "");
  return [...filled.filter((row) => row.primary), ...filled.filter((row) => !row.primary)];
}

/** `prefix` is "postal_address" on people and "address" on organizations. */
function toAddresses(item: Record<string, unknown>, prefix: string) {
  const whole = item[prefix] as string | null;
  if (!whole) return [];
  const part = (name: string) => item[`${prefix}_${name}`] as string | null;
  const street = [part("street_number"), part("route")].filter(Boolean).join(" ");
  const parsed = ["route", "locality", "postal_code", "country"].some((name) => part(name));
  return [
    {
      street: parsed ? street || null : whole, // what the map does not know stays one line
      city: part("locality"),
      region: part("admin_area_level_1"),
      postal_code: part("postal_code"),
      country: part("country"),
    },
  ];
}

function customFields(item: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(item).filter(([key]) => /^[0-9a-f]{40}(_|$)/.test(key)));
}

function toContact(person: Person): UnifiedRecord {
  return {
    id: String(person.id),
    name: person.name,
    first_name: person.first_name,
    last_name: person.last_name,
    emails: filledIn(person.email).map(({ value, label }) => ({ email: value, type: label })),
    phones: filledIn(person.phone).map(({ value, label }) => ({ number: value, type: label })),
    addresses: toAddresses(person, "postal_address"),
    job_title: person.job_title,
    account_id: text(person.org_id?.value),
    owner_id: text(person.owner_id?.value),
    created_at: utc(person.add_time),
    updated_at: utc(person.update_time),
    custom_fields: customFields(person),
  };
}

function toAccount(organization: Organization): UnifiedRecord {
  return {
    id: String(organization.id),
    name: organization.name,
    website: organization.website,
    industry: text(organization.industry),
    employees: organization.employee_count,
    addresses: toAddresses(organization, "address"),
    owner_id: text(organization.owner_id?.value),
    created_at: utc(organization.add_time),
    updated_at: utc(organization.update_time),
    custom_fields: customFields(organization),
  };
}

function toDeal(deal: Deal): UnifiedRecord {
  return {
    id: String(deal.id),
    name: deal.title,
    amount: deal.value || null,
    currency: deal.currency,
    status: deal.status,
    stage: text(deal.stage_id),
    pipeline: text(deal.pipeline_id),
    probability: deal.probability,
    account_id: text(deal.org_id),
    contact_id: text(deal.person_id),
    owner_id: text(deal.owner_id),
    expected_close_on: deal.expected_close_date,
    closed_at: deal.close_time,
    lost_reason: deal.lost_reason,
    created_at: deal.add_time,
    updated_at: deal.update_time,
    custom_fields: deal.custom_fields,
  };
}

async function fetchRecords(resource: string, id: string | undefined, limit: number): Promise<UnifiedRecord[]> {
  switch (resource) {
    case "persons":
      if (id) return [toContact((await request<Person>(`/api/v1/persons/${id}`)).data!)];
      return (await listV1<Person>("persons", limit)).map(toContact);
    case "organizations":
      if (id) return [toAccount((await request<Organization>(`/api/v1/organizations/${id}`)).data!)];
      return (await listV1<Organization>("organizations", limit)).map(toAccount);
    case "deals":
      if (id) return [toDeal((await request<Deal>(`/api/v2/deals/${id}`)).data!)];
      return (await listV2<Deal>("deals", limit)).map(toDeal);
    default:
      throw new Error(`there is no importer for ${resource}`);
  }
}

const [resource = "", ...flags] = process.argv.slice(2);
const flag = (name: string) => (flags.includes(name) ? flags[flags.indexOf(name) + 1] : undefined);
console.log(JSON.stringify(await fetchRecords(resource, flag("--id"), Number(flag("--limit") ?? DEFAULT_LIMIT))));
