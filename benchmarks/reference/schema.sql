create table detail.finding_notes (
    note_no BIGINT, finding_id VARCHAR, current_finding_id VARCHAR, kind VARCHAR, recorded_on DATE, text_zh VARCHAR,
    agreed_on DATE, exempt_until DATE, approver VARCHAR, recorded_by VARCHAR, "owner" VARCHAR, attachments VARCHAR,
    action_id VARCHAR, acted_at VARCHAR, file_name VARCHAR
);
create table detail.funding_pieces (
    unit_id VARCHAR, township_code VARCHAR, fiscal_year BIGINT, known_from_number BIGINT, known_until_number BIGINT,
    phase_from_number BIGINT, phase_until_number BIGINT, unit_last_number BIGINT, standard_id VARCHAR,
    accrual VARCHAR, is_counted BOOLEAN, first_number BIGINT, last_number BIGINT, population_basis VARCHAR,
    population_persons BIGINT, population_month DATE, tier_label VARCHAR, tier_value DECIMAL(18,4),
    annual_units DECIMAL(38,0), month_units DECIMAL(38,0)
);
create table detail.moved_amounts (
    finding_id VARCHAR, rule_id VARCHAR, township_code VARCHAR, unit_id VARCHAR, measure VARCHAR, notified_on DATE,
    begins_with VARCHAR, from_month DATE, "month" DATE, from_cny DECIMAL(18,2), to_cny DECIMAL(18,2),
    open_shortfall_cny DECIMAL(18,2), moved_cny DECIMAL(18,2), unknown_reason VARCHAR, is_of_two_years BOOLEAN,
    is_counted_in_totals BOOLEAN, from_report_month DATE, from_submission_id VARCHAR, from_sheet VARCHAR,
    from_row_number BIGINT, to_report_month DATE, to_submission_id VARCHAR, to_sheet VARCHAR, to_row_number BIGINT
);
create table detail.part_answers (
    standard_id VARCHAR, subject_unit VARCHAR, "month" DATE, end_index BIGINT, part_no BIGINT, "value" DECIMAL(18,4),
    least_value DECIMAL(18,4), answer VARCHAR
);
create table detail.payment_coverage (
    "source" VARCHAR, fund_code VARCHAR, county_code VARCHAR, "month" DATE, submission_id VARCHAR, sheet VARCHAR,
    is_latest BOOLEAN
);
create table detail.payment_pace (
    township_code VARCHAR, "month" DATE, progress_pct DECIMAL(18,2), calendar_pct DECIMAL(18,2),
    silent_months_count BIGINT, pace VARCHAR,
    behind_months_count BIGINT, behind_cny DECIMAL(18,2)
);
create table detail.rule_coverage (
    rule_id VARCHAR, unit_level VARCHAR, parent_level VARCHAR, parent_code VARCHAR, "month" DATE, owed_count BIGINT,
    met_count BIGINT, short_count BIGINT, not_reported_count BIGINT, unconfirmed_count BIGINT,
    not_applicable_count BIGINT, coverage_pct DECIMAL(18,4)
);
create table detail.scorecard (
    township_code VARCHAR, "month" DATE, pillar_no BIGINT, pillar_zh VARCHAR, status VARCHAR, rules_count BIGINT,
    met_count BIGINT, short_count BIGINT, not_reported_count BIGINT, missing_zh VARCHAR, not_reported_zh VARCHAR
);
create table detail.standard_measures (
    standard_id VARCHAR, "role" VARCHAR, part_no BIGINT, measure_code VARCHAR, required BOOLEAN,
    threshold DECIMAL(18,4), label_zh VARCHAR, combine VARCHAR, years_back BIGINT, unit_level VARCHAR,
    pattern VARCHAR, factor DECIMAL(18,4)
);
create table detail.standard_parts (
    standard_id VARCHAR, part_no BIGINT, label_zh VARCHAR, matter VARCHAR, rule_id VARCHAR
);
create table detail.submission_status (
    township_code VARCHAR, township_name VARCHAR, county_code VARCHAR, "month" DATE, dataset VARCHAR, status VARCHAR,
    state VARCHAR, told VARCHAR, nil_figures VARCHAR, dashed_figures VARCHAR, blank_figures VARCHAR,
    refused_code VARCHAR, is_late BOOLEAN, due_on DATE, nominal_due_on DATE, first_received_on DATE,
    last_received_on DATE, files_count BIGINT, held_count BIGINT, rejected_count BIGINT
);
create table detail.submission_units (
    submission_id VARCHAR, county_code VARCHAR, townships_count BIGINT
);
create table detail.takeovers (
    unit_id VARCHAR, township_code VARCHAR, heir_unit_id VARCHAR, since_month DATE, last_month DATE,
    allocated_annual_cny DECIMAL(18,2), disbursed_ytd_cny DECIMAL(18,2), spent_ytd_cny DECIMAL(18,2)
);
create table detail.township_monthly (
    township_code VARCHAR, county_code VARCHAR, "month" DATE, disbursed_pct DECIMAL(18,2), spent_pct DECIMAL(18,2),
    staff_status VARCHAR, staff_shortfall_persons BIGINT, staff_excess_persons BIGINT, staff_required_persons BIGINT,
    staff_is_silent BOOLEAN, population_status VARCHAR, budget_status VARCHAR, staffing_status VARCHAR,
    population_told VARCHAR, budget_told VARCHAR, staffing_told VARCHAR, sent_count BIGINT, is_late BOOLEAN
);
create table detail.unit_findings_monthly (
    unit_level VARCHAR, unit_code VARCHAR, "month" DATE, open_count BIGINT, open_high_count BIGINT,
    open_medium_count BIGINT, open_low_count BIGINT, opened_count BIGINT, cleared_count BIGINT
);
create table detail.unit_monthly (
    unit_level VARCHAR, unit_code VARCHAR, "month" DATE, units_count BIGINT, ended_count BIGINT, covered_count BIGINT,
    judged_count BIGINT, short_count BIGINT, met_count BIGINT, not_reported_count BIGINT, no_standard_count BIGINT,
    met_of_judged_pct DECIMAL(18,2), guaranteed_of_covered_cny DECIMAL(24,2),
    guaranteed_ytd_of_covered_cny DECIMAL(24,2), allocated_of_covered_cny DECIMAL(24,2),
    guaranteed_of_judged_cny DECIMAL(24,2), guaranteed_ytd_of_judged_cny DECIMAL(24,2),
    allocated_of_judged_cny DECIMAL(24,2), allocation_shortfall_of_judged_cny DECIMAL(24,2),
    allocation_surplus_of_judged_cny DECIMAL(24,2), adequacy_of_judged_pct DECIMAL(18,2), complete_count BIGINT,
    guaranteed_of_complete_cny DECIMAL(24,2), guaranteed_ytd_of_complete_cny DECIMAL(24,2),
    disbursed_of_complete_cny DECIMAL(24,2), disbursed_of_complete_pct DECIMAL(18,2),
    progress_of_complete_pct DECIMAL(18,2), calendar_of_complete_pct DECIMAL(18,2), partly_paid_count BIGINT,
    disbursed_of_partly_cny DECIMAL(24,2), compared_count BIGINT, underpaid_count BIGINT,
    disbursement_shortfall_of_compared_cny DECIMAL(24,2), on_pace_count BIGINT, behind_count BIGINT,
    far_behind_count BIGINT, spending_count BIGINT, disbursed_of_spending_cny DECIMAL(24,2),
    spent_of_spending_cny DECIMAL(24,2), spent_of_spending_pct DECIMAL(18,2), staff_asked_count BIGINT,
    staff_judged_count BIGINT, staff_short_count BIGINT, staff_silent_count BIGINT,
    staff_shortfall_of_judged_persons BIGINT, staff_excess_of_judged_persons BIGINT,
    staff_required_of_asked_persons BIGINT, expected_count BIGINT, population_missing_count BIGINT,
    budget_missing_count BIGINT, staffing_missing_count BIGINT, missing_count BIGINT,
    complete_reports_pct DECIMAL(18,2), late_count BIGINT
);
create table detail.unit_moved_monthly (
    unit_level VARCHAR, unit_code VARCHAR, "month" DATE, closed_money_count BIGINT, moved_known_count BIGINT,
    moved_notified_count BIGINT, closed_money_of_month_count BIGINT, moved_allocated_ytd_cny DECIMAL(24,2),
    moved_disbursed_ytd_cny DECIMAL(24,2), moved_ytd_cny DECIMAL(24,2)
);
create table detail.unit_rules_monthly (
    unit_level VARCHAR, unit_code VARCHAR, "month" DATE, rule_id VARCHAR, answers_count BIGINT, met_count BIGINT,
    short_count BIGINT, over_count BIGINT, not_reported_count BIGINT, unconfirmed_count BIGINT,
    not_applicable_count BIGINT, shortfall DECIMAL(24,4)
);
create table detail.unit_scorecard_monthly (
    unit_level VARCHAR, unit_code VARCHAR, "month" DATE, pillar_no BIGINT, pillar_zh VARCHAR,
    asked_units_count BIGINT, met_units_count BIGINT, short_units_count BIGINT, silent_units_count BIGINT,
    rules_count BIGINT, met_count BIGINT, short_count BIGINT, not_reported_count BIGINT
);
create table detail.unit_shares (
    standard_id VARCHAR, subject_level VARCHAR, subject_code VARCHAR, "month" DATE, units_count DECIMAL(18,4),
    having_count DECIMAL(18,4), silent_count DECIMAL(18,4), roster_is_complete BOOLEAN
);
create table detail.unit_staffing_monthly (
    unit_level VARCHAR, unit_code VARCHAR, "month" DATE, standard_id VARCHAR, due_count BIGINT, met_count BIGINT,
    short_count BIGINT, over_count BIGINT, not_reported_count BIGINT, unconfirmed_count BIGINT, partial_count BIGINT,
    shortfall_persons BIGINT
);
create table detail.unmet_duties (
    "month" DATE, subject_code VARCHAR, subject_name VARCHAR, rule_id VARCHAR, shortfall DECIMAL(18,4), unit VARCHAR,
    months_count BIGINT, finding_id VARCHAR
);
create table detail.conclusive_doubts (
    township_code VARCHAR, "month" DATE, kind VARCHAR, amount DECIMAL(18,2), word VARCHAR, township_name VARCHAR,
    county_name VARCHAR
);
create table detail.vacancies_monthly (
    unit_level VARCHAR, unit_code VARCHAR, "month" DATE, units_count BIGINT, known_count BIGINT,
    established_posts BIGINT, in_post_persons BIGINT, vacant_posts BIGINT, unposted_persons BIGINT,
    units_with_vacancies_count BIGINT
);
create table main.edition (
    edition_id VARCHAR NOT NULL, built_at TIMESTAMP NOT NULL, input_fingerprint VARCHAR NOT NULL,
    standards_fingerprint VARCHAR NOT NULL, code_version VARCHAR NOT NULL, first_month DATE, last_month DATE
);
create table main.findings (
    finding_id VARCHAR NOT NULL, rule_id VARCHAR NOT NULL, subject_level VARCHAR NOT NULL,
    subject_code VARCHAR NOT NULL, opened_month DATE NOT NULL, last_month DATE NOT NULL, cleared_month DATE,
    months_open BIGINT NOT NULL, status VARCHAR NOT NULL, value_checked DECIMAL(18,4), value_expected DECIMAL(18,4),
    shortfall DECIMAL(18,4), unit VARCHAR, "source" VARCHAR, severity VARCHAR NOT NULL, is_minor BOOLEAN NOT NULL,
    weight DECIMAL(24,4) NOT NULL, document_title VARCHAR, clause VARCHAR, message_zh VARCHAR,
    previous_finding_id VARCHAR, notified_on DATE, reply_zh VARCHAR, agreed_on DATE, is_overdue BOOLEAN NOT NULL,
    is_exempt BOOLEAN NOT NULL, exempt_reason_zh VARCHAR, exempt_approver VARCHAR, exempt_until DATE,
    notes_count BIGINT NOT NULL
);
create table main.fund_ledger_monthly (
    township_code VARCHAR NOT NULL, township_name VARCHAR, county_code VARCHAR, "month" DATE NOT NULL,
    fiscal_year BIGINT, fund_code VARCHAR NOT NULL, fund_name VARCHAR, matter VARCHAR, carried_over_cny DECIMAL(18,2),
    carried_over_precision_cny DECIMAL(18,2), carried_over_as_of_month DATE, from_above_cny DECIMAL(18,2),
    from_above_precision_cny DECIMAL(18,2), from_above_as_of_month DATE, own_cny DECIMAL(18,2),
    own_precision_cny DECIMAL(18,2), own_as_of_month DATE, initial_cny DECIMAL(18,2),
    initial_precision_cny DECIMAL(18,2), initial_as_of_month DATE, adjusted_cny DECIMAL(18,2),
    adjusted_precision_cny DECIMAL(18,2), adjusted_as_of_month DATE, allocated_source VARCHAR,
    disbursed_ytd_cny DECIMAL(18,2), disbursed_precision_cny DECIMAL(18,2), disbursed_as_of_month DATE,
    disbursed_is_partial BOOLEAN, disbursed_source VARCHAR, spent_ytd_cny DECIMAL(18,2),
    spent_precision_cny DECIMAL(18,2), spent_as_of_month DATE, spent_is_partial BOOLEAN, spent_source VARCHAR,
    balance_cny DECIMAL(18,2)
);
create table main.funding_gap_monthly (
    township_code VARCHAR NOT NULL, township_name VARCHAR, county_code VARCHAR NOT NULL, county_name VARCHAR,
    "month" DATE NOT NULL, fiscal_year BIGINT NOT NULL, standard_id VARCHAR, also_standard_id VARCHAR,
    tier_label VARCHAR, population_basis VARCHAR, population_persons BIGINT, population_month DATE,
    population_township_code VARCHAR, population_is_fallback BOOLEAN, population_is_stale BOOLEAN NOT NULL,
    includes_predecessors BOOLEAN NOT NULL, is_on_tier_edge BOOLEAN NOT NULL, is_tier_uncertain BOOLEAN NOT NULL,
    other_tier_label VARCHAR, other_annual_cny DECIMAL(18,2), guaranteed_annual_cny DECIMAL(18,2),
    guaranteed_ytd_cny DECIMAL(18,2), guaranteed_least_annual_cny DECIMAL(18,2),
    guaranteed_least_ytd_cny DECIMAL(18,2), accrued_months_count BIGINT, allocated_annual_cny DECIMAL(18,2),
    allocated_as_of_month DATE, allocated_precision_cny DECIMAL(18,2), disbursed_ytd_cny DECIMAL(18,2),
    disbursed_as_of_month DATE, disbursed_precision_cny DECIMAL(18,2), disbursed_is_partial BOOLEAN NOT NULL,
    disbursed_source VARCHAR, disbursed_told VARCHAR, allocated_source VARCHAR, spent_ytd_cny DECIMAL(18,2),
    spent_as_of_month DATE, spent_precision_cny DECIMAL(18,2), spent_is_partial BOOLEAN NOT NULL,
    predecessors_are_added BOOLEAN NOT NULL, allocation_shortfall_cny DECIMAL(18,2),
    allocation_surplus_cny DECIMAL(18,2), disbursement_shortfall_ytd_cny DECIMAL(18,2), adequacy_pct DECIMAL(18,2),
    is_within_precision BOOLEAN NOT NULL, status VARCHAR NOT NULL, status_reason VARCHAR
);
create table main.judgements (
    rule_id VARCHAR NOT NULL, subject_level VARCHAR NOT NULL, subject_code VARCHAR NOT NULL, "month" DATE NOT NULL,
    status VARCHAR NOT NULL, value_checked DECIMAL(18,4), value_expected DECIMAL(18,4), shortfall DECIMAL(18,4),
    unit VARCHAR, reason VARCHAR, is_binding BOOLEAN NOT NULL, subject_unit VARCHAR NOT NULL, numerator DECIMAL(18,4),
    denominator DECIMAL(18,4), tier_label VARCHAR
);
create table main.policy_documents (
    document_id VARCHAR NOT NULL, document_title VARCHAR NOT NULL, document_no VARCHAR, issuer_name VARCHAR,
    issuer_code VARCHAR, issuer_level VARCHAR, "force" VARCHAR, issued_on DATE, issued_on_note VARCHAR,
    recorded_on DATE, basis_documents VARCHAR, note VARCHAR
);
create table main.reconciliation (
    township_code VARCHAR NOT NULL, township_name VARCHAR, county_code VARCHAR, "month" DATE NOT NULL,
    dataset VARCHAR NOT NULL, fund_code VARCHAR, figure VARCHAR NOT NULL, figure_zh VARCHAR,
    source_a VARCHAR NOT NULL, source_a_name VARCHAR, value_a DECIMAL(18,4), source_b VARCHAR NOT NULL,
    source_b_name VARCHAR, value_b DECIMAL(18,4), difference DECIMAL(18,4), used_source VARCHAR,
    used_source_name VARCHAR, "rule" VARCHAR, submission_a VARCHAR, file_name_a VARCHAR, sheet_a VARCHAR,
    row_number_a BIGINT, submission_b VARCHAR, file_name_b VARCHAR, sheet_b VARCHAR, row_number_b BIGINT
);
create table main.rejected_rows (
    submission_id VARCHAR NOT NULL, sheet VARCHAR, row_number BIGINT, column_title VARCHAR, "value" VARCHAR,
    error_code VARCHAR NOT NULL, message_zh VARCHAR NOT NULL, what_to_do_zh VARCHAR, disposition VARCHAR NOT NULL
);
create table main.staffing_gap_monthly (
    township_code VARCHAR NOT NULL, "month" DATE NOT NULL, standard_id VARCHAR NOT NULL, tier_label VARCHAR,
    population_persons BIGINT, population_month DATE, population_is_fallback BOOLEAN,
    is_on_tier_edge BOOLEAN NOT NULL, is_tier_uncertain BOOLEAN NOT NULL, counted_persons BIGINT,
    counted_is_partial BOOLEAN NOT NULL, required_min_persons BIGINT, required_least_persons BIGINT,
    advised_max_persons BIGINT, advised_most_persons BIGINT, shortfall_persons BIGINT, excess_persons BIGINT,
    is_counted_in_totals BOOLEAN NOT NULL, status VARCHAR NOT NULL
);
create table main.standard_tiers (
    standard_id VARCHAR NOT NULL, tier_no BIGINT NOT NULL, tier_label VARCHAR NOT NULL, lower_bound BIGINT,
    lower_included BOOLEAN, upper_bound BIGINT, upper_included BOOLEAN, "value" DECIMAL(18,4),
    value_max DECIMAL(18,4), unit VARCHAR NOT NULL, quotation VARCHAR
);
create table main.standards (
    standard_id VARCHAR NOT NULL, document_id VARCHAR NOT NULL, clause VARCHAR NOT NULL, quotation VARCHAR NOT NULL,
    title_zh VARCHAR NOT NULL, matter VARCHAR NOT NULL, scope_code VARCHAR NOT NULL, subject_level VARCHAR NOT NULL,
    topic_zh VARCHAR, metric_zh VARCHAR, formula VARCHAR NOT NULL, comparator VARCHAR, unit VARCHAR, period VARCHAR,
    population_basis VARCHAR, population_date_rule VARCHAR, edge_rule VARCHAR, strength VARCHAR, severity VARCHAR,
    gradeable VARCHAR, not_judged_reason VARCHAR, effective_from DATE NOT NULL, effective_to DATE, deadline DATE,
    issued_on DATE, recorded_on DATE, last_confirmed_on DATE, confirm_within_months BIGINT, ambiguity_zh VARCHAR,
    example_zh VARCHAR, report_valid_months BIGINT, decimals BIGINT, origin_zh VARCHAR, origin_issuer_code VARCHAR,
    accrual VARCHAR
);
create table main.submissions (
    submission_id VARCHAR NOT NULL, file_name VARCHAR NOT NULL, sha256 VARCHAR NOT NULL, dataset VARCHAR,
    received_at TIMESTAMP, month_from DATE, month_to DATE, rows_read BIGINT NOT NULL, rows_accepted BIGINT NOT NULL,
    rows_held BIGINT NOT NULL, rows_rejected BIGINT NOT NULL, rows_ignored BIGINT NOT NULL, status VARCHAR NOT NULL,
    is_correction BOOLEAN, filed_on DATE, error_code VARCHAR, message_zh VARCHAR, what_to_do_zh VARCHAR
);
create table main.table_changes (
    edition_id VARCHAR NOT NULL, changed_on DATE NOT NULL, table_name VARCHAR NOT NULL, column_name VARCHAR NOT NULL,
    before_zh VARCHAR NOT NULL, after_zh VARCHAR NOT NULL, reason_zh VARCHAR NOT NULL
);
create table main.townships (
    township_code VARCHAR NOT NULL, township_name VARCHAR, township_type VARCHAR, county_code VARCHAR NOT NULL,
    county_name VARCHAR, city_code VARCHAR NOT NULL, city_name VARCHAR, province_code VARCHAR NOT NULL,
    province_name VARCHAR, valid_from DATE, valid_to DATE, successor_code VARCHAR, is_township BOOLEAN NOT NULL,
    unit_id VARCHAR NOT NULL
);
create table quality.suite_flags (
    suite VARCHAR, expectation VARCHAR, kind VARCHAR, subject_code VARCHAR, "month" DATE, standard_id VARCHAR,
    "value" VARCHAR, expected VARCHAR, submission_id VARCHAR, sheet VARCHAR, row_number BIGINT,
    message_zh VARCHAR USING COMPRESSION ZSTD
);
create table quality.suite_results (
    suite VARCHAR, suite_title_zh VARCHAR, "target" VARCHAR, expectation VARCHAR, title_zh VARCHAR, kind VARCHAR,
    evaluated_count BIGINT, unexpected_count BIGINT, unexpected_pct DOUBLE, success BOOLEAN,
    message_zh VARCHAR USING COMPRESSION ZSTD, what_to_do_zh VARCHAR
);
create table reported.budget (
    "month" DATE, township_code VARCHAR, reported_code VARCHAR, reported_name VARCHAR, fund_code VARCHAR,
    fund_name VARCHAR, initial_budget_cny DECIMAL(18,2), initial_budget_cny_precision DECIMAL(18,2),
    adjusted_budget_cny DECIMAL(18,2), adjusted_budget_cny_precision DECIMAL(18,2), disbursed_month_cny DECIMAL(18,2),
    disbursed_month_cny_precision DECIMAL(18,2), disbursed_cumulative_cny DECIMAL(18,2),
    disbursed_cumulative_cny_precision DECIMAL(18,2), spent_month_cny DECIMAL(18,2),
    spent_month_cny_precision DECIMAL(18,2), spent_cumulative_cny DECIMAL(18,2),
    spent_cumulative_cny_precision DECIMAL(18,2), is_listed_separately BOOLEAN, carried_over_cny DECIMAL(18,2),
    carried_over_cny_precision DECIMAL(18,2), from_above_cny DECIMAL(18,2), from_above_cny_precision DECIMAL(18,2),
    own_cny DECIMAL(18,2), own_cny_precision DECIMAL(18,2), personnel_cny DECIMAL(18,2),
    personnel_cny_precision DECIMAL(18,2), office_cny DECIMAL(18,2), office_cny_precision DECIMAL(18,2),
    remark VARCHAR, submission_id VARCHAR, sheet VARCHAR, row_number BIGINT, row_status VARCHAR, doubts VARCHAR,
    precedence BIGINT, "source" VARCHAR, nil_figures VARCHAR, dashed_figures VARCHAR, other_columns VARCHAR,
    is_latest BOOLEAN, is_current BOOLEAN
);
create table reported.divisions (
    division_code VARCHAR, division_name VARCHAR, division_type VARCHAR, parent_code VARCHAR, valid_from DATE,
    valid_to DATE, successor_code VARCHAR, submission_id VARCHAR, sheet VARCHAR, row_number BIGINT,
    row_status VARCHAR, doubts VARCHAR, precedence BIGINT, is_current BOOLEAN
);
create table reported.indicators (
    "month" DATE, subject_code VARCHAR, subject_name VARCHAR, indicator_code VARCHAR, indicator_name VARCHAR,
    indicator_text VARCHAR, indicator_value DECIMAL(18,4), remark VARCHAR, submission_id VARCHAR, sheet VARCHAR,
    row_number BIGINT, row_status VARCHAR, doubts VARCHAR, precedence BIGINT, "source" VARCHAR, nil_figures VARCHAR,
    dashed_figures VARCHAR, other_columns VARCHAR, is_latest BOOLEAN, is_current BOOLEAN
);
create table reported.payments (
    "month" DATE, township_code VARCHAR, fund_code VARCHAR, paid_on DATE, reported_code VARCHAR,
    reported_name VARCHAR, fund_name VARCHAR, amount_cny DECIMAL(18,2), amount_cny_precision DECIMAL(18,2),
    voucher_no VARCHAR, remark VARCHAR, submission_id VARCHAR, sheet VARCHAR, row_number BIGINT, row_status VARCHAR,
    doubts VARCHAR, precedence BIGINT, "source" VARCHAR, nil_figures VARCHAR, dashed_figures VARCHAR,
    other_columns VARCHAR, is_latest BOOLEAN, is_current BOOLEAN
);
create table reported.population (
    "month" DATE, township_code VARCHAR, reported_code VARCHAR, reported_name VARCHAR, households_count BIGINT,
    population_persons BIGINT, population_persons_precision DECIMAL(18,2), births_persons BIGINT,
    births_persons_precision DECIMAL(18,2), deaths_persons BIGINT, deaths_persons_precision DECIMAL(18,2),
    moved_in_persons BIGINT, moved_in_persons_precision DECIMAL(18,2), moved_out_persons BIGINT,
    moved_out_persons_precision DECIMAL(18,2), resident_population_persons BIGINT,
    resident_population_persons_precision DECIMAL(18,2), submission_id VARCHAR, sheet VARCHAR, row_number BIGINT,
    row_status VARCHAR, doubts VARCHAR, precedence BIGINT, "source" VARCHAR, nil_figures VARCHAR,
    dashed_figures VARCHAR, other_columns VARCHAR, is_latest BOOLEAN, is_current BOOLEAN
);
create table reported.staffing (
    "month" DATE, township_code VARCHAR, reported_code VARCHAR, reported_name VARCHAR, administrative_posts BIGINT,
    institution_posts BIGINT, dedicated_staff_persons BIGINT, welfare_posts_persons BIGINT,
    purchased_service_persons BIGINT, part_time_persons BIGINT, villages_count BIGINT,
    villages_with_assistant_count BIGINT, submission_id VARCHAR, sheet VARCHAR, row_number BIGINT, row_status VARCHAR,
    doubts VARCHAR, precedence BIGINT, "source" VARCHAR, nil_figures VARCHAR, dashed_figures VARCHAR,
    other_columns VARCHAR, is_latest BOOLEAN, is_current BOOLEAN
);
