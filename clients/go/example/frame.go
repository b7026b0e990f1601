package main

import (
	"bytes"
	"database/sql"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// mostRows keeps a frame that is sent below the service's limit of a request's size.
const mostRows = 100_000

// frameOf gives rows of SQL as an Arrow IPC stream. SQLite's columns have no types, so the values decide: integers,
// numbers, or text.
func frameOf(rows *sql.Rows) ([]byte, error) {
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	columns := make([][]any, len(names))
	for count := 0; rows.Next(); count++ {
		if count == mostRows {
			return nil, fmt.Errorf("%w: the SQL must give at most %d rows; add a LIMIT", errBadRequest, mostRows)
		}
		values, places := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			places[i] = &values[i]
		}
		if err := rows.Scan(places...); err != nil {
			return nil, err
		}
		for i, value := range values {
			columns[i] = append(columns[i], value)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	fields := make([]arrow.Field, len(names))
	for i, name := range names {
		fields[i] = arrow.Field{Name: name, Type: typeOfAll(columns[i]), Nullable: true}
	}
	schema := arrow.NewSchema(fields, nil)
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer builder.Release()
	for i, values := range columns {
		for _, value := range values {
			appendTo(builder.Field(i), value)
		}
	}
	batch := builder.NewRecordBatch()
	defer batch.Release()
	var stream bytes.Buffer
	writer := ipc.NewWriter(&stream, ipc.WithSchema(schema))
	if err := writer.Write(batch); err != nil {
		return nil, err
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return stream.Bytes(), nil
}

// typeOfAll gives the narrowest type that holds all values.
func typeOfAll(values []any) arrow.DataType {
	var found arrow.DataType
	for _, value := range values {
		switch value.(type) {
		case nil:
		case int64:
			if found == nil {
				found = arrow.PrimitiveTypes.Int64
			}
		case float64:
			found = arrow.PrimitiveTypes.Float64
		default:
			return arrow.BinaryTypes.String
		}
	}
	if found == nil {
		return arrow.BinaryTypes.String
	}
	return found
}

func appendTo(builder array.Builder, value any) {
	if value == nil {
		builder.AppendNull()
		return
	}
	switch builder := builder.(type) {
	case *array.Int64Builder:
		builder.Append(value.(int64))
	case *array.Float64Builder:
		if whole, integer := value.(int64); integer {
			value = float64(whole)
		}
		builder.Append(value.(float64))
	case *array.StringBuilder:
		builder.Append(fmt.Sprint(value))
	}
}
