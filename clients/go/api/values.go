package api

import (
	"encoding/json"
	"fmt"
)

// Scalar is one value: a string, a number, a bool, or whatever becomes one in JSON, such as a time.Time.
type Scalar = any

// NullableScalar is a Scalar or nil.
type NullableScalar = any

// Number is an int or a float64, or nil.
type Number = any

// FilterValue is what a filter compares with: a Scalar, a slice of them for between, in and not_in, or a RelativeTime.
type FilterValue = any

// JobData is a job's result as it came, to be decoded by the job's type; null until the job has completed.
type JobData = json.RawMessage

// Correlation is two columns and Pearson's r of their values. In JSON it is a list, as in ["kwh", "cost", 0.86].
type Correlation struct {
	Left  ColumnName
	Right ColumnName
	R     float64
}

// MarshalJSON writes the list of three.
func (c Correlation) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{c.Left, c.Right, c.R})
}

// UnmarshalJSON reads the list of three.
func (c *Correlation) UnmarshalJSON(data []byte) error {
	var parts []json.RawMessage
	if err := json.Unmarshal(data, &parts); err != nil {
		return err
	}
	if len(parts) != 3 {
		return fmt.Errorf("a correlation is two columns and a number; got %s", data)
	}
	for i, into := range []any{&c.Left, &c.Right, &c.R} {
		if err := json.Unmarshal(parts[i], into); err != nil {
			return err
		}
	}
	return nil
}
