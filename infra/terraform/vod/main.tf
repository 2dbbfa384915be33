# Videos made by AWS MediaConvert. Three kinds of events mean "look at this video" and meet in one queue:
#   S3 stored a source -> inbox, MediaConvert changed a job -> EventBridge -> inbox, a worker sends a hint -> inbox
#   inbox -> Lambda function -> MediaConvert, S3, PostgreSQL, MongoDB
# The function deletes nothing, so neither does its role.

data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

locals {
  bucket_arn       = "arn:${data.aws_partition.this.partition}:s3:::${var.bucket}"
  function_seconds = 900 # as long as Lambda allows; LEASE_SECONDS in gateway/converting.py is the same
}

# --- the queue in front

resource "aws_sqs_queue" "dead" {
  name                      = "${var.name}-convert-dead"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue" "inbox" {
  name = "${var.name}-convert-inbox"
  # AWS asks for six times the function's time, so that what is in hand is not delivered a second time.
  visibility_timeout_seconds = 6 * local.function_seconds
  message_retention_seconds  = 345600
  sqs_managed_sse_enabled    = true

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = 5
  })
}

resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  queue_url = aws_sqs_queue.dead.id

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.inbox.arn]
  })
}

data "aws_iam_policy_document" "inbox" {
  statement {
    sid       = "StoredSources"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.inbox.arn]

    principals {
      type        = "Service"
      identifiers = ["s3.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [local.bucket_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.this.account_id]
    }
  }

  statement {
    sid       = "ChangedJobs"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.inbox.arn]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_cloudwatch_event_rule.jobs.arn]
    }
  }
}

resource "aws_sqs_queue_policy" "inbox" {
  queue_url = aws_sqs_queue.inbox.id
  policy    = data.aws_iam_policy_document.inbox.json
}

resource "aws_s3_bucket_notification" "sources" {
  bucket = var.bucket

  queue {
    id            = "sources"
    queue_arn     = aws_sqs_queue.inbox.arn
    events        = ["s3:ObjectCreated:*"]
    filter_prefix = "uploads/"
    filter_suffix = "/source"
  }

  depends_on = [aws_sqs_queue_policy.inbox]
}

resource "aws_cloudwatch_event_rule" "jobs" {
  name        = "${var.name}-convert-jobs"
  description = "Every change of a job of our queue"

  event_pattern = jsonencode({
    source        = ["aws.mediaconvert"]
    "detail-type" = ["MediaConvert Job State Change"]
    detail = {
      queue  = [aws_media_convert_queue.this.arn]
      status = ["STATUS_UPDATE", "COMPLETE", "ERROR", "CANCELED"]
    }
  })
}

resource "aws_cloudwatch_event_target" "inbox" {
  rule = aws_cloudwatch_event_rule.jobs.name
  arn  = aws_sqs_queue.inbox.arn

  dead_letter_config {
    arn = aws_sqs_queue.dead.arn
  }
}

# --- the service

resource "aws_media_convert_queue" "this" {
  name         = "${var.name}-vod"
  pricing_plan = "ON_DEMAND"
}

data "aws_iam_policy_document" "service_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["mediaconvert.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.this.account_id]
    }
  }
}

data "aws_iam_policy_document" "service" {
  statement {
    sid       = "ReadSources"
    actions   = ["s3:GetObject"]
    resources = ["${local.bucket_arn}/uploads/*"]
  }

  statement {
    sid       = "WriteOutputs"
    actions   = ["s3:PutObject"]
    resources = ["${local.bucket_arn}/vod/*/job-*"]
  }
}

resource "aws_iam_role" "service" {
  name               = "${var.name}-mediaconvert"
  assume_role_policy = data.aws_iam_policy_document.service_trust.json
}

resource "aws_iam_role_policy" "service" {
  role   = aws_iam_role.service.id
  policy = data.aws_iam_policy_document.service.json
}

# --- the function

data "aws_iam_policy_document" "function_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "function" {
  statement {
    sid       = "Inbox"
    actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    resources = [aws_sqs_queue.inbox.arn]
  }

  statement {
    sid       = "CreateJobs"
    actions   = ["mediaconvert:CreateJob"]
    resources = [aws_media_convert_queue.this.arn]
  }

  statement {
    sid       = "Jobs"
    actions   = ["mediaconvert:GetJob"]
    resources = ["arn:${data.aws_partition.this.partition}:mediaconvert:${data.aws_region.this.region}:${data.aws_caller_identity.this.account_id}:jobs/*"]
  }

  statement {
    sid       = "Probe" # names no resource
    actions   = ["mediaconvert:Probe"]
    resources = ["*"]
  }

  statement {
    sid       = "HandRoleToService"
    actions   = ["iam:PassRole"]
    resources = [aws_iam_role.service.arn]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["mediaconvert.amazonaws.com"]
    }
  }

  statement {
    sid       = "ReadMedia"
    actions   = ["s3:GetObject"]
    resources = ["${local.bucket_arn}/uploads/*", "${local.bucket_arn}/vod/*"]
  }

  statement {
    sid       = "WriteMedia"
    actions   = ["s3:PutObject"]
    resources = ["${local.bucket_arn}/vod/*", "${local.bucket_arn}/posters/*"]
  }

  statement {
    sid       = "ListOutputs"
    actions   = ["s3:ListBucket"]
    resources = [local.bucket_arn]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["vod/*"]
    }
  }

  statement {
    sid       = "Secret"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [var.secret_arn]
  }

  statement {
    sid       = "Logs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.function.arn}:*"]
  }
}

resource "aws_cloudwatch_log_group" "function" {
  name              = "/aws/lambda/${var.name}-convert"
  retention_in_days = 30
}

resource "aws_iam_role" "function" {
  name               = "${var.name}-convert"
  assume_role_policy = data.aws_iam_policy_document.function_trust.json
}

resource "aws_iam_role_policy" "function" {
  role   = aws_iam_role.function.id
  policy = data.aws_iam_policy_document.function.json
}

resource "aws_iam_role_policy_attachment" "network" {
  role       = aws_iam_role.function.name
  policy_arn = "arn:${data.aws_partition.this.partition}:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
}

resource "aws_lambda_function" "convert" {
  function_name = "${var.name}-convert"
  role          = aws_iam_role.function.arn
  package_type  = "Image"
  image_uri     = var.image
  architectures = ["x86_64"]
  timeout       = local.function_seconds
  memory_size   = 512

  vpc_config {
    subnet_ids         = var.subnet_ids
    security_group_ids = var.security_group_ids
  }

  environment {
    variables = merge(var.environment, {
      FOOTLIGHT_TRANSCODER          = "mediaconvert"
      FOOTLIGHT_MEDIACONVERT_REGION = data.aws_region.this.region
      FOOTLIGHT_MEDIACONVERT_ROLE   = aws_iam_role.service.arn
      FOOTLIGHT_MEDIACONVERT_QUEUE  = aws_media_convert_queue.this.arn
      FOOTLIGHT_MEDIACONVERT_INBOX  = aws_sqs_queue.inbox.url
      CONVERT_SECRET_ARN            = var.secret_arn
    })
  }

  logging_config {
    log_format = "Text" # ours are JSON already
    log_group  = aws_cloudwatch_log_group.function.name
  }

  depends_on = [aws_iam_role_policy.function, aws_iam_role_policy_attachment.network]
}

resource "aws_lambda_event_source_mapping" "inbox" {
  event_source_arn        = aws_sqs_queue.inbox.arn
  function_name           = aws_lambda_function.convert.arn
  batch_size              = 5
  function_response_types = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = var.functions_at_once
  }
}

# --- what an operator must hear

resource "aws_cloudwatch_metric_alarm" "dead" {
  alarm_name          = "${var.name}-convert-dead"
  alarm_description   = "A hint about a video could not be dealt with five times; the video waits for a worker's next hint."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.dead.name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
}

resource "aws_cloudwatch_metric_alarm" "late" {
  alarm_name          = "${var.name}-convert-late"
  alarm_description   = "A hint has waited for 10 minutes: functions fail, or there are too few of them."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = aws_sqs_queue.inbox.name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 2
  comparison_operator = "GreaterThanThreshold"
  threshold           = 600
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
}
