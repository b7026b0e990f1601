package api

// CleanOperation is one of the operations that a CleanStep can be: Trim, NullMarkers, Cast, ParseDates, FillNull,
// DropNulls, Dedupe, Rename, Drop, Clip, ReplaceValues, StripAccents or NormaliseNames. Its Op need not be set.
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

func (o Trim) cleanStep() (s CleanStep, err error)           { err = s.FromTrim(o); return }
func (o NullMarkers) cleanStep() (s CleanStep, err error)    { err = s.FromNullMarkers(o); return }
func (o Cast) cleanStep() (s CleanStep, err error)           { err = s.FromCast(o); return }
func (o ParseDates) cleanStep() (s CleanStep, err error)     { err = s.FromParseDates(o); return }
func (o FillNull) cleanStep() (s CleanStep, err error)       { err = s.FromFillNull(o); return }
func (o DropNulls) cleanStep() (s CleanStep, err error)      { err = s.FromDropNulls(o); return }
func (o Dedupe) cleanStep() (s CleanStep, err error)         { err = s.FromDedupe(o); return }
func (o Rename) cleanStep() (s CleanStep, err error)         { err = s.FromRename(o); return }
func (o Drop) cleanStep() (s CleanStep, err error)           { err = s.FromDrop(o); return }
func (o Clip) cleanStep() (s CleanStep, err error)           { err = s.FromClip(o); return }
func (o ReplaceValues) cleanStep() (s CleanStep, err error)  { err = s.FromReplaceValues(o); return }
func (o StripAccents) cleanStep() (s CleanStep, err error)   { err = s.FromStripAccents(o); return }
func (o NormaliseNames) cleanStep() (s CleanStep, err error) { err = s.FromNormaliseNames(o); return }

// Computation is one of the columns that a Derivation can be: Arithmetic, NumberFunction, DatePart, DateDiff,
// TextFunction, Substring, Concat, ReplaceText, SplitPart, Case, Coalesce, CastColumn or Bin. Where there is only one
// function, its Fn need not be set.
type Computation interface {
	derivation() (Derivation, error)
}

// Derive gives the columns as those that a plan derives, in their order. It fails on a value that JSON does not have,
// such as NaN.
func Derive(columns ...Computation) ([]Derivation, error) {
	derivations := make([]Derivation, len(columns))
	for i, column := range columns {
		derivation, err := column.derivation()
		if err != nil {
			return nil, err
		}
		derivations[i] = derivation
	}
	return derivations, nil
}

func (c Arithmetic) derivation() (d Derivation, err error)     { err = d.FromArithmetic(c); return }
func (c NumberFunction) derivation() (d Derivation, err error) { err = d.FromNumberFunction(c); return }
func (c DatePart) derivation() (d Derivation, err error)       { err = d.FromDatePart(c); return }
func (c TextFunction) derivation() (d Derivation, err error)   { err = d.FromTextFunction(c); return }

func (c DateDiff) derivation() (d Derivation, err error) {
	c.Fn = "date_diff"
	err = d.FromDateDiff(c)
	return
}

func (c Substring) derivation() (d Derivation, err error) {
	c.Fn = "substring"
	err = d.FromSubstring(c)
	return
}

func (c Concat) derivation() (d Derivation, err error) {
	c.Fn = "concat"
	err = d.FromConcat(c)
	return
}

func (c ReplaceText) derivation() (d Derivation, err error) {
	c.Fn = "replace"
	err = d.FromReplaceText(c)
	return
}

func (c SplitPart) derivation() (d Derivation, err error) {
	c.Fn = "split_part"
	err = d.FromSplitPart(c)
	return
}

func (c Case) derivation() (d Derivation, err error) {
	c.Fn = "case"
	err = d.FromCase(c)
	return
}

func (c Coalesce) derivation() (d Derivation, err error) {
	c.Fn = "coalesce"
	err = d.FromCoalesce(c)
	return
}

func (c CastColumn) derivation() (d Derivation, err error) {
	c.Fn = "cast"
	err = d.FromCastColumn(c)
	return
}

func (c Bin) derivation() (d Derivation, err error) {
	c.Fn = "bin"
	err = d.FromBin(c)
	return
}

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
