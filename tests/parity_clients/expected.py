"""The differences that clients are known to make, and why: each must be met, or it is taken out."""

from __future__ import annotations

from typing import Final

from comparing import Expected

__all__ = ["EXPECTED"]

EXPECTED: Final = (
    Expected(
        "hubspot-api-client",
        "time",
        "It reads times into Python's, and writes them in their notation: microseconds, and +00:00 for Z.",
        paths=("/createdAt", "/updatedAt"),
    ),
    Expected(
        "hubspot-api-client",
        "extra",
        "Its models have no such member: what they do not know is dropped without a word.",
        paths=("/url",),
    ),
    Expected(
        "xero-python",
        "time",
        "It reads times into Python's, and writes them without the offset, which is zero.",
        paths=("/Date", "/DeliveryDate", "/DueDate", "/ExpectedArrivalDate", "/Payments/*/Date"),
    ),
    Expected(
        "xero-python",
        "type",
        "Its models make every amount a float: 250 becomes 250.0.",
        paths=(
            "/Balances/AccountsPayable/Outstanding",
            "/Balances/AccountsPayable/Overdue",
            "/Balances/AccountsReceivable/Outstanding",
            "/Balances/AccountsReceivable/Overdue",
            "/CurrencyRate",
            "/LineItems/*/DiscountRate",
            "/LineItems/*/LineAmount",
            "/LineItems/*/Quantity",
            "/LineItems/*/TaxAmount",
            "/LineItems/*/UnitAmount",
            "/SubTotal",
            "/Total",
            "/TotalTax",
        ),
    ),
    Expected(
        "xero-python",
        "extra",
        "Its models have no such member: what they do not know is dropped without a word.",
        paths=(
            "/ContactGroups/*/HasValidationErrors",
            "/DateString",
            "/DeliveryDateString",
            "/DueDateString",
            "/ExpectedArrivalDateString",
            "/HasErrors",
            "/IsDiscounted",
            "/Type",
        ),
    ),
    Expected(
        "xero-python",
        "missing",
        "Its models say false where the provider says nothing.",
        values=("false",),
    ),
    Expected(
        "pyxero",
        "time",
        "It reads times into Python's; a record is written here with their own notation.",
        paths=(
            "/Contact/UpdatedDateUTC",
            "/Date",
            "/DeliveryDate",
            "/DueDate",
            "/ExpectedArrivalDate",
            "/Payments/*/Date",
            "/UpdatedDateUTC",
        ),
    ),
    Expected(
        "pyxero",
        "value",
        "It takes whatever text looks like a time of midnight for a day: the time is lost.",
        paths=("/DateString", "/DeliveryDateString", "/DueDateString", "/ExpectedArrivalDateString"),
    ),
    Expected(
        "python-quickbooks",
        "missing",
        "Its classes have a value of their own for what the provider does not say: an amount that is not there is 0.",
        values=('""', "0", "[]", "false"),
    ),
    Expected(
        "python-quickbooks",
        "missing",
        "As above, and these are guesses: a rate of 1, a payment that is allowed, a tax that is added.",
        paths=("/AllowIPNPayment", "/ExchangeRate", "/GlobalTaxCalculation"),
    ),
    Expected(
        "python-quickbooks",
        "null-vs-absent",
        "Its classes say null for an object that the provider does not send.",
        values=("null",),
    ),
)
