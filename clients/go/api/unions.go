package api

// CleanOperation is one of the operations that a CleanStep can be: Trim, NullMarkers, Cast, ParseDates, FillNull,
// DropNulls or Dedupe. Its Op need not be set.
type CleanOperation interface {
	cleanStep() (CleanStep, error)
}

// Clean gives the operations as the steps of a plan, in their order. It fails on a value that JSON does not have,
// such as NaN.
func Clean(operations ...CleanOperation) ([]CleanStep, error) {
	steps := make([]CleanStep, len(operations))
	for i, operation := range operations {
		step, err := operation.cleanStep()
		if err != nil {
			return nil, err
		}
		steps[i] = step
	}
	return steps, nil
}

func (o Trim) cleanStep() (s CleanStep, err error)        { err = s.FromTrim(o); return }
func (o NullMarkers) cleanStep() (s CleanStep, err error) { err = s.FromNullMarkers(o); return }
func (o Cast) cleanStep() (s CleanStep, err error)        { err = s.FromCast(o); return }
func (o ParseDates) cleanStep() (s CleanStep, err error)  { err = s.FromParseDates(o); return }
func (o FillNull) cleanStep() (s CleanStep, err error)    { err = s.FromFillNull(o); return }
func (o DropNulls) cleanStep() (s CleanStep, err error)   { err = s.FromDropNulls(o); return }
func (o Dedupe) cleanStep() (s CleanStep, err error)      { err = s.FromDedupe(o); return }

// Condition is one of the rules that a Rule can be: NotNullRule, UniqueRule, InSetRule, InRangeRule, MatchesRule,
// TypeRule or RowCountRule. Its Rule need not be set.
type Condition interface {
	rule() (Rule, error)
}

// Rules gives the conditions as the rules of a validation, in their order. It fails on a value that JSON does not
// have, such as NaN.
func Rules(conditions ...Condition) ([]Rule, error) {
	rules := make([]Rule, len(conditions))
	for i, condition := range conditions {
		rule, err := condition.rule()
		if err != nil {
			return nil, err
		}
		rules[i] = rule
	}
	return rules, nil
}

func (c NotNullRule) rule() (r Rule, err error)  { err = r.FromNotNullRule(c); return }
func (c UniqueRule) rule() (r Rule, err error)   { err = r.FromUniqueRule(c); return }
func (c InSetRule) rule() (r Rule, err error)    { err = r.FromInSetRule(c); return }
func (c InRangeRule) rule() (r Rule, err error)  { err = r.FromInRangeRule(c); return }
func (c MatchesRule) rule() (r Rule, err error)  { err = r.FromMatchesRule(c); return }
func (c TypeRule) rule() (r Rule, err error)     { err = r.FromTypeRule(c); return }
func (c RowCountRule) rule() (r Rule, err error) { err = r.FromRowCountRule(c); return }
