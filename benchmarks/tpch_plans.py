"""Ten queries of TPC-H: as plans, as SQL, and their published answers at scale 1.

Texts of customers are left out of the tenth query's answer, as versions of the data generator differ in them.
"""

from __future__ import annotations

from typing import Any

__all__ = ["ANSWERS", "PLANS", "SQL"]


def one_less(col: str, name: str) -> dict[str, Any]:
    """`1 - col`."""
    return {"as": name, "fn": "sub", "args": [{"val": 1}, {"col": col}]}


def product(name: str, *cols: str) -> dict[str, Any]:
    """The product of columns."""
    return {"as": name, "fn": "mul", "args": [{"col": col} for col in cols]}


REVENUE = [one_less("l_discount", "kept"), product("volume", "l_extendedprice", "kept")]


def leaf(col: str, op: str, val: Any) -> dict[str, Any]:
    """One condition."""
    return {"col": col, "op": op, "val": val}


def within(col: str, low: str, high: str) -> list[dict[str, Any]]:
    """From low on, and before high."""
    return [leaf(col, ">=", low), leaf(col, "<", high)]


def brand(name: str, containers: list[str], least: int, size: int) -> dict[str, Any]:
    """One of the three kinds of parts that the nineteenth query adds up."""
    return {
        "all": [
            leaf("p_brand", "=", name),
            leaf("p_container", "in", containers),
            leaf("l_quantity", "between", [least, least + 10]),
            leaf("p_size", "between", [1, size]),
        ]
    }


PLANS: dict[str, dict[str, Any]] = {
    "q1": {
        "dataset": "lineitem",
        "filters": [leaf("l_shipdate", "<=", "1998-09-02")],
        "derive": [
            *REVENUE,
            {"as": "taxed", "fn": "add", "args": [{"val": 1}, {"col": "l_tax"}]},
            product("charge", "volume", "taxed"),
        ],
        "groupby": ["l_returnflag", "l_linestatus"],
        "aggs": [
            {"col": "l_quantity", "fn": "sum", "as": "sum_qty"},
            {"col": "l_extendedprice", "fn": "sum", "as": "sum_base_price"},
            {"col": "volume", "fn": "sum", "as": "sum_disc_price"},
            {"col": "charge", "fn": "sum", "as": "sum_charge"},
            {"col": "l_quantity", "fn": "mean", "as": "avg_qty"},
            {"col": "l_extendedprice", "fn": "mean", "as": "avg_price"},
            {"col": "l_discount", "fn": "mean", "as": "avg_disc"},
            {"fn": "count", "as": "count_order"},
        ],
        "order": [{"col": "l_returnflag"}, {"col": "l_linestatus"}],
    },
    "q3": {
        "dataset": "customer",
        "joins": [
            {
                "dataset": "orders",
                "left_on": ["c_custkey"],
                "right_on": ["o_custkey"],
                "filters": [leaf("o_orderdate", "<", "1995-03-15")],
                "select": ["o_custkey", "o_orderkey", "o_orderdate", "o_shippriority"],
            },
            {
                "dataset": "lineitem",
                "left_on": ["o_orderkey"],
                "right_on": ["l_orderkey"],
                "filters": [leaf("l_shipdate", ">", "1995-03-15")],
                "select": ["l_orderkey", "l_extendedprice", "l_discount"],
            },
        ],
        "derive": REVENUE,
        "filters": [leaf("c_mktsegment", "=", "BUILDING")],
        "groupby": ["o_orderkey", "o_orderdate", "o_shippriority"],
        "aggs": [{"col": "volume", "fn": "sum", "as": "revenue"}],
        "order": [{"col": "revenue", "dir": "desc"}, {"col": "o_orderdate"}],
        "limit": 10,
    },
    "q4": {
        "dataset": "orders",
        "filters": within("o_orderdate", "1993-07-01", "1993-10-01"),
        "joins": [
            {
                "dataset": "lineitem",
                "how": "semi",
                "left_on": ["o_orderkey"],
                "right_on": ["l_orderkey"],
                "filters": [{"col": "l_commitdate", "op": "<", "col2": "l_receiptdate"}],
            }
        ],
        "groupby": ["o_orderpriority"],
        "aggs": [{"fn": "count", "as": "order_count"}],
        "order": [{"col": "o_orderpriority"}],
    },
    "q5": {
        "dataset": "region",
        "joins": [
            {
                "dataset": "nation",
                "left_on": ["r_regionkey"],
                "right_on": ["n_regionkey"],
                "select": ["n_regionkey", "n_nationkey", "n_name"],
            },
            {
                "dataset": "customer",
                "left_on": ["n_nationkey"],
                "right_on": ["c_nationkey"],
                "select": ["c_nationkey", "c_custkey"],
            },
            {
                "dataset": "orders",
                "left_on": ["c_custkey"],
                "right_on": ["o_custkey"],
                "filters": within("o_orderdate", "1994-01-01", "1995-01-01"),
                "select": ["o_custkey", "o_orderkey"],
            },
            {
                "dataset": "lineitem",
                "left_on": ["o_orderkey"],
                "right_on": ["l_orderkey"],
                "select": ["l_orderkey", "l_suppkey", "l_extendedprice", "l_discount"],
            },
            {
                "dataset": "supplier",
                "how": "semi",
                "left_on": ["l_suppkey", "n_nationkey"],
                "right_on": ["s_suppkey", "s_nationkey"],
            },
        ],
        "derive": REVENUE,
        "filters": [leaf("r_name", "=", "ASIA")],
        "groupby": ["n_name"],
        "aggs": [{"col": "volume", "fn": "sum", "as": "revenue"}],
        "order": [{"col": "revenue", "dir": "desc"}],
    },
    "q6": {
        "dataset": "lineitem",
        "derive": [product("saved", "l_extendedprice", "l_discount")],
        "filters": [
            *within("l_shipdate", "1994-01-01", "1995-01-01"),
            leaf("l_discount", "between", [0.05, 0.07]),
            leaf("l_quantity", "<", 24),
        ],
        "aggs": [{"col": "saved", "fn": "sum", "as": "revenue"}],
    },
    "q10": {
        "dataset": "customer",
        "joins": [
            {
                "dataset": "orders",
                "left_on": ["c_custkey"],
                "right_on": ["o_custkey"],
                "filters": within("o_orderdate", "1993-10-01", "1994-01-01"),
                "select": ["o_custkey", "o_orderkey"],
            },
            {
                "dataset": "lineitem",
                "left_on": ["o_orderkey"],
                "right_on": ["l_orderkey"],
                "filters": [leaf("l_returnflag", "=", "R")],
                "select": ["l_orderkey", "l_extendedprice", "l_discount"],
            },
            {
                "dataset": "nation",
                "left_on": ["c_nationkey"],
                "right_on": ["n_nationkey"],
                "select": ["n_nationkey", "n_name"],
            },
        ],
        "derive": REVENUE,
        "groupby": ["c_custkey", "c_name", "c_acctbal", "c_phone", "n_name", "c_address", "c_comment"],
        "aggs": [{"col": "volume", "fn": "sum", "as": "revenue"}],
        "order": [{"col": "revenue", "dir": "desc"}],
        "limit": 20,
    },
    "q12": {
        "dataset": "lineitem",
        "joins": [
            {
                "dataset": "orders",
                "left_on": ["l_orderkey"],
                "right_on": ["o_orderkey"],
                "select": ["o_orderkey", "o_orderpriority"],
            }
        ],
        "filters": [
            leaf("l_shipmode", "in", ["MAIL", "SHIP"]),
            {"col": "l_commitdate", "op": "<", "col2": "l_receiptdate"},
            {"col": "l_shipdate", "op": "<", "col2": "l_commitdate"},
            *within("l_receiptdate", "1994-01-01", "1995-01-01"),
        ],
        "groupby": ["l_shipmode"],
        "aggs": [
            {
                "fn": "count",
                "as": "high_line_count",
                "filter": leaf("o_orderpriority", "in", ["1-URGENT", "2-HIGH"]),
            },
            {
                "fn": "count",
                "as": "low_line_count",
                "filter": leaf("o_orderpriority", "not_in", ["1-URGENT", "2-HIGH"]),
            },
        ],
        "order": [{"col": "l_shipmode"}],
    },
    "q14": {
        "dataset": "lineitem",
        "joins": [
            {
                "dataset": "part",
                "left_on": ["l_partkey"],
                "right_on": ["p_partkey"],
                "select": ["p_partkey", "p_type"],
            }
        ],
        "derive": [
            *REVENUE,
            {
                "as": "promoted",
                "fn": "case",
                "cases": [{"when": leaf("p_type", "like", "PROMO%"), "then": {"val": 100.0}}],
                "else": {"val": 0.0},
            },
        ],
        "filters": within("l_shipdate", "1995-09-01", "1995-10-01"),
        "aggs": [{"col": "promoted", "fn": "weighted_mean", "weight": "volume", "as": "promo_revenue"}],
    },
    "q18": {
        "dataset": "lineitem",
        "joins": [
            {
                "dataset": "lineitem",
                "how": "semi",
                "on": ["l_orderkey"],
                "groupby": ["l_orderkey"],
                "aggs": [{"col": "l_quantity", "fn": "sum", "as": "total"}],
                "having": [leaf("total", ">", 300)],
            },
            {
                "dataset": "orders",
                "left_on": ["l_orderkey"],
                "right_on": ["o_orderkey"],
                "select": ["o_orderkey", "o_custkey", "o_orderdate", "o_totalprice"],
            },
            {
                "dataset": "customer",
                "left_on": ["o_custkey"],
                "right_on": ["c_custkey"],
                "select": ["c_custkey", "c_name"],
            },
        ],
        "groupby": ["c_name", "o_custkey", "l_orderkey", "o_orderdate", "o_totalprice"],
        "aggs": [{"col": "l_quantity", "fn": "sum", "as": "quantity"}],
        "order": [{"col": "o_totalprice", "dir": "desc"}, {"col": "o_orderdate"}],
        "limit": 100,
    },
    "q19": {
        "dataset": "lineitem",
        "joins": [
            {
                "dataset": "part",
                "left_on": ["l_partkey"],
                "right_on": ["p_partkey"],
                "select": ["p_partkey", "p_brand", "p_container", "p_size"],
            }
        ],
        "derive": REVENUE,
        "filters": [
            leaf("l_shipmode", "in", ["AIR", "AIR REG"]),
            leaf("l_shipinstruct", "=", "DELIVER IN PERSON"),
            {
                "any": [
                    brand("Brand#12", ["SM CASE", "SM BOX", "SM PACK", "SM PKG"], 1, 5),
                    brand("Brand#23", ["MED BAG", "MED BOX", "MED PKG", "MED PACK"], 10, 10),
                    brand("Brand#34", ["LG CASE", "LG BOX", "LG PACK", "LG PKG"], 20, 15),
                ]
            },
        ],
        "aggs": [{"col": "volume", "fn": "sum", "as": "revenue"}],
    },
}

SQL = {
    "q1": """
        select l_returnflag, l_linestatus, sum(l_quantity) as sum_qty, sum(l_extendedprice) as sum_base_price,
            sum(l_extendedprice * (1 - l_discount)) as sum_disc_price,
            sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) as sum_charge, avg(l_quantity) as avg_qty,
            avg(l_extendedprice) as avg_price, avg(l_discount) as avg_disc, count(*) as count_order
        from lineitem where l_shipdate <= date '1998-09-02'
        group by l_returnflag, l_linestatus order by l_returnflag, l_linestatus""",
    "q3": """
        select o_orderkey, o_orderdate, o_shippriority, sum(l_extendedprice * (1 - l_discount)) as revenue
        from customer, orders, lineitem
        where c_mktsegment = 'BUILDING' and c_custkey = o_custkey and l_orderkey = o_orderkey
            and o_orderdate < date '1995-03-15' and l_shipdate > date '1995-03-15'
        group by o_orderkey, o_orderdate, o_shippriority order by revenue desc, o_orderdate limit 10""",
    "q4": """
        select o_orderpriority, count(*) as order_count from orders
        where o_orderdate >= date '1993-07-01' and o_orderdate < date '1993-10-01' and exists (
            select * from lineitem where l_orderkey = o_orderkey and l_commitdate < l_receiptdate)
        group by o_orderpriority order by o_orderpriority""",
    "q5": """
        select n_name, sum(l_extendedprice * (1 - l_discount)) as revenue
        from customer, orders, lineitem, supplier, nation, region
        where c_custkey = o_custkey and l_orderkey = o_orderkey and l_suppkey = s_suppkey
            and c_nationkey = s_nationkey and s_nationkey = n_nationkey and n_regionkey = r_regionkey
            and r_name = 'ASIA' and o_orderdate >= date '1994-01-01' and o_orderdate < date '1995-01-01'
        group by n_name order by revenue desc""",
    "q6": """
        select sum(l_extendedprice * l_discount) as revenue from lineitem
        where l_shipdate >= date '1994-01-01' and l_shipdate < date '1995-01-01'
            and l_discount between 0.05 and 0.07 and l_quantity < 24""",
    "q10": """
        select c_custkey, c_name, c_acctbal, c_phone, n_name, c_address, c_comment,
            sum(l_extendedprice * (1 - l_discount)) as revenue
        from customer, orders, lineitem, nation
        where c_custkey = o_custkey and l_orderkey = o_orderkey and o_orderdate >= date '1993-10-01'
            and o_orderdate < date '1994-01-01' and l_returnflag = 'R' and c_nationkey = n_nationkey
        group by c_custkey, c_name, c_acctbal, c_phone, n_name, c_address, c_comment
        order by revenue desc limit 20""",
    "q12": """
        select l_shipmode,
            sum(case when o_orderpriority in ('1-URGENT', '2-HIGH') then 1 else 0 end) as high_line_count,
            sum(case when o_orderpriority not in ('1-URGENT', '2-HIGH') then 1 else 0 end) as low_line_count
        from orders, lineitem
        where o_orderkey = l_orderkey and l_shipmode in ('MAIL', 'SHIP') and l_commitdate < l_receiptdate
            and l_shipdate < l_commitdate and l_receiptdate >= date '1994-01-01'
            and l_receiptdate < date '1995-01-01'
        group by l_shipmode order by l_shipmode""",
    "q14": """
        select 100.00 * sum(case when p_type like 'PROMO%' then l_extendedprice * (1 - l_discount) else 0 end)
            / sum(l_extendedprice * (1 - l_discount)) as promo_revenue
        from lineitem, part
        where l_partkey = p_partkey and l_shipdate >= date '1995-09-01' and l_shipdate < date '1995-10-01'""",
    "q18": """
        select c_name, c_custkey as o_custkey, o_orderkey as l_orderkey, o_orderdate, o_totalprice,
            sum(l_quantity) as quantity
        from customer, orders, lineitem
        where o_orderkey in (
                select l_orderkey from lineitem group by l_orderkey having sum(l_quantity) > 300)
            and c_custkey = o_custkey and o_orderkey = l_orderkey
        group by c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice
        order by o_totalprice desc, o_orderdate limit 100""",
    "q19": """
        select sum(l_extendedprice * (1 - l_discount)) as revenue from lineitem, part
        where p_partkey = l_partkey and l_shipmode in ('AIR', 'AIR REG')
            and l_shipinstruct = 'DELIVER IN PERSON' and (
            (p_brand = 'Brand#12' and p_container in ('SM CASE', 'SM BOX', 'SM PACK', 'SM PKG')
                and l_quantity between 1 and 11 and p_size between 1 and 5)
            or (p_brand = 'Brand#23' and p_container in ('MED BAG', 'MED BOX', 'MED PKG', 'MED PACK')
                and l_quantity between 10 and 20 and p_size between 1 and 10)
            or (p_brand = 'Brand#34' and p_container in ('LG CASE', 'LG BOX', 'LG PACK', 'LG PKG')
                and l_quantity between 20 and 30 and p_size between 1 and 15))""",
}

# By column, to the cent as they are published.
ANSWERS: dict[str, dict[str, list[Any]]] = {
    "q1": {
        "l_returnflag": ["A", "N", "N", "R"],
        "l_linestatus": ["F", "F", "O", "F"],
        "sum_qty": [37734107.00, 991417.00, 74476040.00, 37719753.00],
        "sum_base_price": [56586554400.73, 1487504710.38, 111701729697.74, 56568041380.90],
        "sum_disc_price": [53758257134.87, 1413082168.05, 106118230307.61, 53741292684.60],
        "sum_charge": [55909065222.83, 1469649223.19, 110367043872.50, 55889619119.83],
        "avg_qty": [25.52, 25.52, 25.50, 25.51],
        "avg_price": [38273.13, 38284.47, 38249.12, 38250.85],
        "avg_disc": [0.05, 0.05, 0.05, 0.05],
        "count_order": [1478493, 38854, 2920374, 1478870],
    },
    "q3": {
        "o_orderkey": [
            *(2456423, 3459808, 492164, 1188320, 2435712, 4878020, 5521732, 2628192, 993600, 2300070)
        ],
        "revenue": [
            *(406181.01, 405838.70, 390324.06, 384537.94, 378673.06, 378376.80, 375153.92, 373133.31),
            *(371407.46, 367371.15),
        ],
    },
    "q4": {
        "o_orderpriority": ["1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED", "5-LOW"],
        "order_count": [10594, 10476, 10410, 10556, 10487],
    },
    "q5": {
        "n_name": ["INDONESIA", "VIETNAM", "CHINA", "INDIA", "JAPAN"],
        "revenue": [55502041.17, 55295087.00, 53724494.26, 52035512.00, 45410175.70],
    },
    "q6": {"revenue": [123141078.23]},
    "q10": {
        "c_custkey": [
            *(57040, 143347, 60838, 101998, 125341, 25501, 115831, 84223, 54289, 39922, 6226, 922, 147946),
            *(115640, 73606, 110246, 142549, 146149, 52528, 23431),
        ],
        "revenue": [
            *(734235.25, 721002.69, 679127.31, 637029.57, 633508.09, 620269.78, 596423.87, 594998.02),
            *(585603.39, 584878.11, 576783.76, 576767.53, 576455.13, 569341.19, 568656.86, 566842.98),
            *(563537.24, 557254.99, 556397.35, 554269.54),
        ],
        "c_acctbal": [
            *(632.87, 2557.47, 2454.77, 3790.89, 4983.51, 7725.04, 5098.10, 528.65, 5583.02, 7321.11),
            *(2230.09, 3869.25, 2030.13, 6436.10, 1785.67, 7763.35, 5085.99, 1791.55, 551.79, 3381.86),
        ],
    },
    "q12": {
        "l_shipmode": ["MAIL", "SHIP"],
        "high_line_count": [6202, 6200],
        "low_line_count": [9324, 9262],
    },
    "q14": {"promo_revenue": [16.38]},
    "q18": {
        "l_orderkey": [
            *(4722021, 3043270, 2232932, 2199712, 4745607, 3883783, 3342468, 5984582, 1474818, 5489475),
            *(4267751, 2366755, 3767271, 1436544, 5746311, 5832321, 2096705, 2942469, 551136, 5296167),
            *(1263015, 2745894, 2761378, 502886, 2869152, 735366, 1971680, 5007490, 4290656, 4720454),
            *(4702759, 983201, 4806726, 2806245, 2662214, 3037414, 29158, 4134341, 2329187, 4527553),
            *(4739650, 1544643, 3861123, 967334, 565574, 5200102, 1845057, 4439686, 4259524, 4478371),
            *(5156581, 5849444, 1742403, 6882, 1481925, 857959, 2995076),
        ],
        "quantity": [
            *(323, 317, 304, 327, 309, 302, 303, 312, 302, 311, 301, 302, 318, 307, 302, 307, 307, 313, 308),
            *(303, 320, 304, 301, 312, 317, 309, 308, 304, 301, 303, 320, 304, 328, 310, 302, 308, 305, 309),
            *(304, 305, 305, 320, 301, 301, 301, 304, 302, 305, 304, 302, 302, 309, 305, 303, 301, 305, 302),
        ],
    },
    "q19": {"revenue": [3083843.06]},
}
