// NetSuite over SuiteTalk REST with token based authentication (OAuth 1.0a).
//
//   node netsuite.ts customers|invoices|accounts [--page-size N] [--id 107]
//
// NETSUITE_ACCOUNT is the account as NetSuite's own pages write it, such as 123456_SB1.
// NETSUITE_CURRENCIES may say which currency an internal id is: "1=USD,2=GBP".
import { createHmac, randomBytes } from "node:crypto";

const { NETSUITE_ACCOUNT, NETSUITE_CONSUMER_KEY, NETSUITE_CONSUMER_SECRET, NETSUITE_TOKEN_ID, NETSUITE_TOKEN_SECRET } =
  process.env as Record<string, string>;
const HOST = `https://${NETSUITE_ACCOUNT.toLowerCase().replaceAll("_", "-")}.suitetalk.api.netsuite.com`;
const MAX_RETRIES = 4;

interface Ref {
  id: string;
  refName?: string;
}

interface Collection<T> {
  items: T[];
  count: number;
  offset: number;
  hasMore: boolean;
  totalResults: number;
}

interface NetSuiteError {
  title?: string;
  status?: number;
  "o:errorDetails"?: { detail: string; "o:errorCode": string }[];
}

interface AddressBookEntry {
  defaultBilling: boolean;
  defaultShipping: boolean;
  addressBookAddress: {
    addr1?: string | null;
    addr2?: string | null;
    city?: string | null;
    state?: Ref | string | null;
    zip?: string | null;
    country?: Ref | null;
  };
}

interface Customer {
  [custentity: `custentity${string}`]: unknown;
  id: string;
  entityId?: string | null;
  isPerson?: boolean;
  companyName?: string | null;
  firstName?: string | null;
  lastName?: string | null;
  email?: string | null;
  phone?: string | null;
  mobilePhone?: string | null;
  url?: string | null;
  vatRegNumber?: string | null;
  currency?: Ref;
  balance?: number | null;
  parent?: Ref;
  subsidiary?: Ref;
  isInactive?: boolean;
  dateCreated?: string;
  lastModifiedDate?: string;
  addressBook?: { items: AddressBookEntry[] };
}

interface InvoiceLine {
  line: number;
  description?: string | null;
  item?: Ref;
  quantity?: number | null;
  rate?: number | null;
  amount?: number | null;
  class?: Ref | null;
  department?: Ref | null;
  location?: Ref | null;
}

interface Invoice {
  [custbody: `custbody${string}`]: unknown;
  id: string;
  tranId?: string;
  status?: Ref;
  entity?: Ref;
  subsidiary?: Ref;
  currency?: Ref;
  otherRefNum?: string | null;
  memo?: string | null;
  exchangeRate?: number | null;
  tranDate?: string | null;
  dueDate?: string | null;
  subtotal?: number | null;
  taxTotal?: number | null;
  total?: number | null;
  amountRemaining?: number | null;
  createdDate?: string;
  lastModifiedDate?: string;
  item?: { items: InvoiceLine[] };
}

/** A row of SuiteQL: everything is text, and a column that is null is left out. */
type Row = Record<string, string | undefined> & { id: string };

type Unified = { id: string } & Record<string, unknown>;

// Requests.

const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

function authorization(method: string, url: URL): string {
  const oauth: Record<string, string> = {
    oauth_consumer_key: NETSUITE_CONSUMER_KEY,
    oauth_token: NETSUITE_TOKEN_ID,
    oauth_nonce: randomBytes(16).toString("hex"),
    oauth_timestamp: String(Math.floor(Date.now() / 1000)),
    oauth_signature_method: "HMAC-SHA256",
    oauth_version: "1.0",
  };
  // The query is signed too, so that every page has a signature of its own.
  const parameters = [...Object.entries(oauth), ...url.searchParams]
    .map(([name, value]) => [encode(name), encode(value)])
    .sort(([a, x], [b, y]) => (a === b ? (x < y ? -1 : 1) : a < b ? -1 : 1))
    .map((pair) => pair.join("="))
    .join("&");
  const base = [method, encode(url.origin + url.pathname), encode(parameters)].join("&");
  const key = `${encode(NETSUITE_CONSUMER_SECRET)}&${encode(NETSUITE_TOKEN_SECRET)}`;
  oauth.oauth_signature = createHmac("sha256", key).update(base).digest("base64");
  const realm = NETSUITE_ACCOUNT.toUpperCase().replaceAll("-", "_");
  const pairs = Object.entries(oauth).map(([name, value]) => `${name}="${encode(value)}"`);
  return `OAuth realm="${realm}", ${pairs.join(", ")}`;
}

async function call<T>(method: "GET" | "POST", path: string, query: Record<string, string>, body?: object): Promise<T> {
  const url = new URL(path, HOST);
  url.search = new URLSearchParams(query).toString();
  for (let retry = 0; ; retry++) {
    const headers: Record<string, string> = { Authorization: authorization(method, url) };
    if (body) {
      headers["Content-Type"] = "application/json";
      headers.Prefer = "transient"; // SuiteQL refuses to run without it
    }
    const response = await fetch(url, { method, headers, body: body && JSON.stringify(body) });
    if (response.ok) {
      return (await response.json()) as T;
    }
    const error = (await response.json().catch(() => ({}))) as NetSuiteError;
    const [first] = error["o:errorDetails"] ?? [];
    // Too many requests at once: of the whole account, not of us alone. Nothing says for how long.
    const isBusy = response.status === 429 || first?.["o:errorCode"] === "SSS_REQUEST_LIMIT_EXCEEDED";
    if (!isBusy || retry === MAX_RETRIES) {
      throw new Error(`NetSuite ${response.status} ${first?.["o:errorCode"] ?? error.title}: ${first?.detail}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 2 ** retry * 1000));
  }
}

async function* pages<T>(
  method: "GET" | "POST", path: string, pageSize: number, body?: object,
): AsyncGenerator<T> {
  for (let offset = 0; ; offset += pageSize) {
    const query = { limit: String(pageSize), offset: String(offset) };
    const page = await call<Collection<T>>(method, path, query, body);
    yield* page.items;
    if (!page.hasMore) {
      return;
    }
  }
}

const suiteql = (q: string, pageSize: number) => pages<Row>("POST", "/services/rest/query/v1/suiteql", pageSize, { q });

const record = <T>(type: string, id: string) =>
  call<T>("GET", `/services/rest/record/v1/${type}/${id}`, { expandSubResources: "true" });

// Mapping.

const CURRENCIES = new Map(
  (process.env.NETSUITE_CURRENCIES ?? "").split(",").map((pair) => pair.split("=") as [string, string]),
);

function customFields(source: object, prefix: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(source).filter(([name]) => name.startsWith(prefix)));
}

function toAddress({ addressBookAddress: address, defaultBilling, defaultShipping }: AddressBookEntry) {
  const { state } = address; // a reference, or only its code
  return {
    street: [address.addr1, address.addr2].filter(Boolean).join("\n") || null,
    city: address.city,
    region: typeof state === "object" ? state?.id : state,
    postal_code: address.zip,
    country: address.country?.id,
    type: defaultBilling ? "billing" : defaultShipping ? "shipping" : undefined,
  };
}

function toCustomer(customer: Customer): Unified {
  const person = [customer.firstName, customer.lastName].filter(Boolean).join(" ");
  return {
    id: customer.id,
    number: customer.entityId,
    name: customer.isPerson ? person : customer.companyName,
    first_name: customer.firstName,
    last_name: customer.lastName,
    emails: customer.email ? [{ email: customer.email }] : [],
    phones: [
      ...(customer.phone ? [{ number: customer.phone }] : []),
      ...(customer.mobilePhone ? [{ number: customer.mobilePhone, type: "mobile" }] : []),
    ],
    addresses: customer.addressBook?.items.map(toAddress),
    website: customer.url,
    tax_number: customer.vatRegNumber,
    currency: CURRENCIES.get(customer.currency?.id ?? ""),
    balance: customer.balance,
    parent_id: customer.parent?.id,
    subsidiary_id: customer.subsidiary?.id,
    active: customer.isInactive === undefined ? undefined : !customer.isInactive,
    created_at: customer.dateCreated,
    updated_at: customer.lastModifiedDate,
    custom_fields: customFields(customer, "custentity"),
  };
}

function toLine(line: InvoiceLine) {
  const dimensions = (["class", "department", "location"] as const)
    .filter((name) => line[name])
    .map((name) => ({ name, value: line[name]?.refName }));
  return {
    id: String(line.line),
    description: line.description,
    item_id: line.item?.id,
    quantity: line.quantity,
    unit_price: line.rate,
    amount: line.amount,
    dimensions,
  };
}

function toInvoice(invoice: Invoice, currency?: string): Unified {
  return {
    id: invoice.id,
    number: invoice.tranId,
    type: "receivable",
    status: invoice.status?.refName,
    customer_id: invoice.entity?.id,
    subsidiary_id: invoice.subsidiary?.id,
    reference: invoice.otherRefNum,
    memo: invoice.memo,
    currency: currency ?? CURRENCIES.get(invoice.currency?.id ?? ""),
    exchange_rate: invoice.exchangeRate,
    issued_on: invoice.tranDate,
    due_on: invoice.dueDate,
    lines: invoice.item?.items.map(toLine),
    subtotal: invoice.subtotal,
    tax: invoice.taxTotal,
    total: invoice.total,
    balance: invoice.amountRemaining,
    created_at: invoice.createdDate,
    updated_at: invoice.lastModifiedDate,
    custom_fields: customFields(invoice, "custbody"),
  };
}

const CLASSIFICATIONS: Record<string, string> = {
  Bank: "asset", AcctRec: "asset", UnbilledRec: "asset", OthCurrAsset: "asset", FixedAsset: "asset",
  OthAsset: "asset", DeferExpense: "asset",
  AcctPay: "liability", CredCard: "liability", OthCurrLiab: "liability", LongTermLiab: "liability",
  DeferRevenue: "liability",
  Equity: "equity",
  Income: "revenue", OthIncome: "revenue",
  COGS: "expense", Expense: "expense", OthExpense: "expense",
};

function toAccount(row: Row): Unified {
  return {
    id: row.id,
    code: row.acctnumber,
    name: row.accountsearchdisplaynamecopy,
    description: row.description,
    classification: CLASSIFICATIONS[row.accttype ?? ""], // nothing for statistical accounts: they hold no money
    type: row.accttype,
    currency: row.currencysymbol,
    parent_id: row.parent,
    active: row.isinactive === "F",
  };
}

// What can be asked for.

const ACCOUNTS = `SELECT a.id, a.acctnumber, a.accountsearchdisplaynamecopy, a.description, a.accttype, a.parent,
  a.isinactive, c.symbol AS currencysymbol
  FROM account a LEFT JOIN currency c ON c.id = a.currency`;

// The currency's code stands in no invoice, its internal id alone.
const INVOICES = `SELECT t.id, c.symbol AS currencysymbol
  FROM transaction t INNER JOIN currency c ON c.id = t.currency
  WHERE t.type = 'CustInvc' AND t.id >= 0 ORDER BY t.id`;

const oneLine = (sql: string) => sql.replace(/\s+/g, " ");

async function* customers(pageSize: number): AsyncGenerator<Unified> {
  // The listing holds ids alone. One after the other: requests at a time are counted over the whole account.
  for await (const { id } of pages<{ id: string }>("GET", "/services/rest/record/v1/customer", pageSize)) {
    yield toCustomer(await record<Customer>("customer", id));
  }
}

async function* invoices(pageSize: number): AsyncGenerator<Unified> {
  for await (const row of suiteql(oneLine(INVOICES), pageSize)) {
    yield toInvoice(await record<Invoice>("invoice", row.id), row.currencysymbol);
  }
}

async function* accounts(pageSize: number, id?: string): AsyncGenerator<Unified> {
  const where = id === undefined ? "1 = 1" : `a.id = ${Number(id)}`;
  for await (const row of suiteql(oneLine(`${ACCOUNTS} WHERE ${where} ORDER BY a.id`), pageSize)) {
    yield toAccount(row);
  }
}

async function* wanted(resource: string, pageSize: number, id?: string): AsyncGenerator<Unified> {
  if (resource === "customers" && id !== undefined) {
    yield toCustomer(await record<Customer>("customer", id));
  } else if (resource === "customers") {
    yield* customers(pageSize);
  } else if (resource === "invoices" && id !== undefined) {
    yield toInvoice(await record<Invoice>("invoice", id));
  } else if (resource === "invoices") {
    yield* invoices(pageSize);
  } else if (resource === "accounts") {
    yield* accounts(pageSize, id);
  } else {
    throw new Error(`unknown resource ${resource}`);
  }
}

const words = process.argv.slice(2);
const after = (name: string) => (words.includes(name) ? words[words.indexOf(name) + 1] : undefined);
const found: Unified[] = [];
for await (const one of wanted(words[0] ?? "", Number(after("--page-size") ?? 1000), after("--id"))) {
  found.push(one);
}
console.log(JSON.stringify(found));
