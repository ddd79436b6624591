// CRM sync: contacts, companies and deals from HubSpot.
//
//   node hubspot.ts contacts [--page-size 100]
//   node hubspot.ts companies|deals
//   node hubspot.ts contacts --id 701000000001
//
// Needs HUBSPOT_ACCESS_TOKEN; with HUBSPOT_REFRESH_TOKEN, HUBSPOT_CLIENT_ID and HUBSPOT_CLIENT_SECRET
// a token that has run out in the middle of a sync is renewed.

const API = "https://api.hubapi.com";
const MAX_TRIES = 5;

const CONTACT_PROPERTIES = [
  "email", "firstname", "lastname", "phone", "mobilephone", "jobtitle",
  "address", "city", "state", "zip", "country", "associatedcompanyid", "hubspot_owner_id",
];
const COMPANY_PROPERTIES = [
  "name", "description", "website", "industry", "numberofemployees", "phone",
  "address", "city", "state", "zip", "country", "hs_parent_company_id", "hubspot_owner_id",
];
const DEAL_PROPERTIES = [
  "dealname", "description", "amount", "deal_currency_code", "dealstage", "pipeline", "hs_deal_stage_probability",
  "hs_is_closed", "hs_is_closed_won", "closedate", "closed_lost_reason", "hs_primary_associated_company",
  "hubspot_owner_id",
];

// Every property is text or null, whatever type it has in the settings. Some are not in the answer at all.
type Properties = Record<string, string | null | undefined>;

interface HubSpotObject {
  id: string;
  properties: Properties;
  createdAt: string;
  updatedAt: string;
  archived: boolean;
}

interface HubSpotPage {
  results: HubSpotObject[];
  paging?: { next?: { after: string; link?: string } };
}

interface HubSpotError {
  status: "error";
  message: string;
  category?: string;
  correlationId?: string;
  policyName?: "DAILY" | "SECONDLY" | "TEN_SECONDLY_ROLLING";
}

interface Phone {
  number: string;
  type?: string;
}

interface Address {
  street?: string | null;
  city?: string | null;
  region?: string | null;
  postal_code?: string | null;
  country?: string | null;
}

interface UnifiedContact {
  id: string;
  first_name?: string | null;
  last_name?: string | null;
  emails: { email: string }[];
  phones: Phone[];
  addresses: Address[];
  job_title?: string | null;
  account_id?: string | null;
  owner_id?: string | null;
  created_at: string;
  updated_at: string;
}

interface UnifiedAccount {
  id: string;
  name?: string | null;
  description?: string | null;
  website?: string | null;
  industry?: string | null;
  employees?: number | null;
  phones: Phone[];
  addresses: Address[];
  parent_id?: string | null;
  owner_id?: string | null;
  created_at: string;
  updated_at: string;
}

interface UnifiedDeal {
  id: string;
  name?: string | null;
  description?: string | null;
  amount?: number | null;
  currency?: string | null;
  status?: "open" | "won" | "lost" | "" | null;
  stage?: string | null;
  pipeline?: string | null;
  probability?: number | null;
  account_id?: string | null;
  owner_id?: string | null;
  expected_close_on?: string | null;
  closed_at?: string | null;
  lost_reason?: string | null;
  created_at: string;
  updated_at: string;
}

let accessToken = process.env.HUBSPOT_ACCESS_TOKEN ?? "";

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function refreshAccessToken(): Promise<void> {
  const response = await fetch(`${API}/oauth/v1/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "refresh_token",
      client_id: process.env.HUBSPOT_CLIENT_ID ?? "",
      client_secret: process.env.HUBSPOT_CLIENT_SECRET ?? "",
      refresh_token: process.env.HUBSPOT_REFRESH_TOKEN ?? "",
    }),
  });
  if (!response.ok) {
    throw new Error(`HubSpot refused to renew the token: ${response.status}`);
  }
  const granted = (await response.json()) as { access_token: string; expires_in: number };
  accessToken = granted.access_token;
}

async function hubspotGet<T>(path: string, query: Record<string, string>): Promise<T> {
  const url = `${API}${path}?${new URLSearchParams(query)}`;
  for (let tries = 1; ; tries++) {
    const response = await fetch(url, { headers: { Authorization: `Bearer ${accessToken}` } });
    if (response.ok) {
      return (await response.json()) as T;
    }
    const error = (await response.json().catch(() => ({}))) as Partial<HubSpotError>;
    if (response.status === 401 && tries === 1 && process.env.HUBSPOT_REFRESH_TOKEN) {
      await refreshAccessToken();
      continue;
    }
    // There is no Retry-After; the policy says which window is used up. The daily one is not worth waiting for.
    if (response.status === 429 && error.policyName !== "DAILY" && tries < MAX_TRIES) {
      await sleep(error.policyName === "SECONDLY" ? 1_000 : 10_000);
      continue;
    }
    if (response.status >= 500 && tries < MAX_TRIES) {
      await sleep(500 * 2 ** tries);
      continue;
    }
    throw new Error(`HubSpot ${response.status} on ${path}: ${error.message ?? "no message"} (${error.correlationId})`);
  }
}

async function* allObjects(type: string, properties: string[], pageSize: number): AsyncGenerator<HubSpotObject> {
  let after: string | undefined;
  do {
    const query: Record<string, string> = { properties: properties.join(","), limit: String(pageSize) };
    if (after !== undefined) {
      query.after = after;
    }
    const page: HubSpotPage = await hubspotGet(`/crm/v3/objects/${type}`, query);
    yield* page.results;
    after = page.paging?.next?.after; // the last page has no paging at all
  } while (after !== undefined);
}

function phones(properties: Properties): Phone[] {
  const found: Phone[] = [];
  if (properties.phone) found.push({ number: properties.phone });
  if (properties.mobilephone) found.push({ number: properties.mobilephone, type: "mobile" });
  return found;
}

function addresses({ address, city, state, zip, country }: Properties): Address[] {
  if (![address, city, state, zip, country].some(Boolean)) {
    return [];
  }
  return [{ street: address, city, region: state, postal_code: zip, country }];
}

function toContact({ id, properties, createdAt, updatedAt }: HubSpotObject): UnifiedContact {
  return {
    id,
    first_name: properties.firstname,
    last_name: properties.lastname,
    emails: properties.email ? [{ email: properties.email }] : [],
    phones: phones(properties),
    addresses: addresses(properties),
    job_title: properties.jobtitle,
    account_id: properties.associatedcompanyid,
    owner_id: properties.hubspot_owner_id,
    created_at: createdAt,
    updated_at: updatedAt,
  };
}

/** A number of HubSpot's is text: "" where the field was emptied, null where it never was filled in. */
function toNumber(text: string | null | undefined): number | null | undefined {
  if (text === undefined) return undefined;
  return text === null || text === "" ? null : Number(text);
}

function toAccount({ id, properties, createdAt, updatedAt }: HubSpotObject): UnifiedAccount {
  return {
    id,
    name: properties.name,
    description: properties.description,
    website: properties.website,
    industry: properties.industry,
    employees: toNumber(properties.numberofemployees),
    phones: phones(properties),
    addresses: addresses(properties),
    parent_id: properties.hs_parent_company_id,
    owner_id: properties.hubspot_owner_id,
    created_at: createdAt,
    updated_at: updatedAt,
  };
}

function toDeal({ id, properties, createdAt, updatedAt }: HubSpotObject): UnifiedDeal {
  const { closedate, hs_is_closed, hs_is_closed_won } = properties;
  const probability = toNumber(properties.hs_deal_stage_probability);
  return {
    id,
    name: properties.dealname,
    description: properties.description,
    amount: toNumber(properties.amount),
    currency: properties.deal_currency_code,
    status: hs_is_closed && (hs_is_closed_won === "true" ? "won" : hs_is_closed === "true" ? "lost" : "open"),
    stage: properties.dealstage,
    pipeline: properties.pipeline,
    probability: probability == null ? probability : Math.round(probability * 100),
    account_id: properties.hs_primary_associated_company,
    owner_id: properties.hubspot_owner_id,
    // One date for both: when it shall be closed, and from then on when it was.
    expected_close_on: closedate && closedate.slice(0, 10),
    closed_at: hs_is_closed && (hs_is_closed === "true" ? closedate : null),
    lost_reason: properties.closed_lost_reason,
    created_at: createdAt,
    updated_at: updatedAt,
  };
}

const RESOURCES = {
  contacts: { properties: CONTACT_PROPERTIES, unify: toContact },
  companies: { properties: COMPANY_PROPERTIES, unify: toAccount },
  deals: { properties: DEAL_PROPERTIES, unify: toDeal },
};

function option(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

async function main(): Promise<void> {
  const type = process.argv[2] as keyof typeof RESOURCES;
  if (!(type in RESOURCES)) {
    throw new Error(`usage: hubspot.ts ${Object.keys(RESOURCES).join("|")} [--page-size N] [--id ID]`);
  }
  const { properties, unify } = RESOURCES[type];
  const id = option("--id");
  const records: (UnifiedContact | UnifiedAccount | UnifiedDeal)[] = [];
  if (id !== undefined) {
    const path = `/crm/v3/objects/${type}/${encodeURIComponent(id)}`;
    records.push(unify(await hubspotGet<HubSpotObject>(path, { properties: properties.join(",") })));
  } else {
    for await (const object of allObjects(type, properties, Number(option("--page-size") ?? 100))) {
      records.push(unify(object));
    }
  }
  console.log(JSON.stringify(records, null, 2));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
