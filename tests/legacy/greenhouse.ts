// Greenhouse Harvest v3 reader (v1 with its Basic key was switched off in August 2026).
//
//   node greenhouse.ts candidates|jobs [--since 2026-10-05T00:00:00Z] [--per-page 500] [--id 53880108]
import process from "node:process";

const BASE_URL = process.env.GREENHOUSE_URL ?? "https://harvest.greenhouse.io/v3";
const TOKEN_URL = process.env.GREENHOUSE_TOKEN_URL ?? "https://auth.greenhouse.io/token";
const RETRIES = 3;

interface TypedValue {
  value: string;
  type?: string | null;
}

interface CustomField {
  name: string;
  type: string;
  value: unknown;
}

interface Candidate {
  id: number;
  first_name: string | null;
  last_name: string | null;
  preferred_name: string | null;
  company: string | null;
  title: string | null;
  private: boolean;
  created_at: string;
  updated_at: string;
  last_activity_at: string | null;
  email_addresses: TypedValue[];
  phone_numbers: TypedValue[];
  addresses: TypedValue[];
  website_addresses: TypedValue[];
  social_media_addresses: TypedValue[];
  tags: string[];
  custom_fields: Record<string, CustomField>;
}

interface Job {
  id: number;
  name: string;
  requisition_id: string | null;
  notes: string | null;
  confidential: boolean;
  status: string;
  created_at: string;
  opened_at: string | null;
  closed_at: string | null;
  updated_at: string;
  department_id: number | null;
  office_ids: number[] | null;
  custom_fields: Record<string, CustomField>;
}

type Unified = Record<string, unknown> & { id: string };

class GreenhouseClient {
  #token: string;

  constructor(token: string) {
    this.#token = token;
  }

  async *list<T>(resource: string, query: Record<string, string>): AsyncGenerator<T> {
    let url: string | null = `${BASE_URL}/${resource}?${new URLSearchParams(query)}`;
    while (url) {
      const response: Response = await this.#get(url);
      yield* (await response.json()) as T[];
      // The cursor has to be the only parameter: take the link as it is.
      url = nextLink(response.headers.get("link"));
    }
  }

  async #get(url: string): Promise<Response> {
    let hasRefreshed = false;
    for (let attempt = 0; ; attempt++) {
      const response = await fetch(url, { headers: { authorization: `Bearer ${this.#token}` } });
      if (response.ok) return response;
      if (response.status === 429 && attempt < RETRIES) {
        const seconds = Number(response.headers.get("retry-after") ?? 30);
        await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      } else if (response.status === 401 && !hasRefreshed && process.env.GREENHOUSE_REFRESH_TOKEN) {
        hasRefreshed = true;
        await this.#refresh();
      } else {
        throw new Error(`Greenhouse answered ${response.status}: ${(await response.text()).slice(0, 200)}`);
      }
    }
  }

  async #refresh(): Promise<void> {
    const basic = btoa(`${process.env.GREENHOUSE_CLIENT_ID}:${process.env.GREENHOUSE_CLIENT_SECRET}`);
    const response = await fetch(TOKEN_URL, {
      method: "POST",
      headers: { authorization: `Basic ${basic}` },
      body: new URLSearchParams({
        grant_type: "refresh_token",
        refresh_token: process.env.GREENHOUSE_REFRESH_TOKEN!,
      }),
    });
    if (!response.ok) throw new Error(`Greenhouse gave no token: ${response.status}`);
    const { access_token, refresh_token } = (await response.json()) as Record<string, string>;
    this.#token = access_token;
    if (refresh_token) process.env.GREENHOUSE_REFRESH_TOKEN = refresh_token; // each works once
  }
}

function nextLink(header: string | null): string | null {
  return header?.match(/<([^>]+)>;\s*rel="next"/)?.[1] ?? null;
}

const hasValue = ({ value }: TypedValue) => value !== "";

function customFields(fields: Record<string, CustomField>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, field.value]));
}

function unifyCandidate(candidate: Candidate): Unified {
  return {
    id: String(candidate.id),
    first_name: candidate.first_name,
    last_name: candidate.last_name,
    preferred_name: candidate.preferred_name,
    emails: candidate.email_addresses.filter(hasValue).map(({ value, type }) => ({ email: value, type })),
    phones: candidate.phone_numbers.filter(hasValue).map(({ value, type }) => ({ number: value, type })),
    addresses: candidate.addresses.filter(hasValue).map(({ value, type }) => ({ address: value, type })),
    links: [
      ...candidate.website_addresses.filter(hasValue).map(({ value, type }) => ({ url: value, type })),
      ...candidate.social_media_addresses.filter(hasValue).map(({ value }) => ({ url: value, type: "social" })),
    ],
    company: candidate.company,
    title: candidate.title,
    tags: candidate.tags,
    is_private: candidate.private,
    last_activity_at: candidate.last_activity_at,
    created_at: candidate.created_at,
    updated_at: candidate.updated_at,
    custom_fields: customFields(candidate.custom_fields),
  };
}

function unifyJob(job: Job): Unified {
  return {
    id: String(job.id),
    name: job.name,
    number: job.requisition_id,
    status: job.status,
    description: job.notes,
    is_confidential: job.confidential,
    department_id: job.department_id === null ? null : String(job.department_id),
    office_ids: job.office_ids?.map(String) ?? null,
    opened_at: job.opened_at,
    closed_at: job.closed_at,
    created_at: job.created_at,
    updated_at: job.updated_at,
    custom_fields: customFields(job.custom_fields),
  };
}

function parseArguments(words: string[]) {
  const [resource, ...rest] = words;
  const options = new Map<string, string>();
  for (let i = 0; i < rest.length; i += 2) options.set(rest[i], rest[i + 1]);
  return { resource, options };
}

async function main(): Promise<Unified[]> {
  const { resource, options } = parseArguments(process.argv.slice(2));
  const client = new GreenhouseClient(process.env.GREENHOUSE_TOKEN ?? "");

  const query: Record<string, string> = {};
  if (options.has("--id")) {
    query.ids = options.get("--id")!; // there is no path for a single one
  } else {
    query.per_page = options.get("--per-page") ?? "500";
    if (options.has("--since")) query.updated_at = `gte|${options.get("--since")}`;
  }

  const records: Unified[] = [];
  if (resource === "candidates") {
    for await (const candidate of client.list<Candidate>("candidates", query)) records.push(unifyCandidate(candidate));
  } else if (resource === "jobs") {
    for await (const job of client.list<Job>("jobs", query)) records.push(unifyJob(job));
  } else {
    throw new Error(`nothing is read of ${resource}`);
  }
  return records;
}

process.stdout.write(`${JSON.stringify(await main(), null, 1)}\n`);
