//! Two plots side by side, as SVG: points, and a linear reference.

use std::ops::Range;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use plotters::coord::Shift;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::prelude::*;

use crate::report::thousands;

/// The size of both panels together, in pixels.
const SIZE: (u32, u32) = (960, 360);
const MEASURED: RGBColor = RGBColor(31, 78, 121);
const LINEAR: RGBColor = RGBColor(150, 110, 60);
const INK: RGBColor = RGBColor(51, 51, 51);
const GRID: RGBColor = RGBColor(224, 224, 224);
/// How many segments the linear reference has.
const PIECES: u32 = 120;

/// One plot. Its x axis is logarithmic; so is its y axis if the points are far apart.
pub struct Panel<'p> {
    /// The label of the x axis, with its unit.
    pub x: &'p str,
    /// The label of the y axis, with its unit.
    pub y: &'p str,
    /// The measurements, by x.
    pub points: Vec<(f64, f64)>,
    /// The linear reference: y as a function of x.
    pub linear: &'p dyn Fn(f64) -> f64,
}

/// Draws both panels into `file`, on white, so that they are readable on any page.
///
/// # Errors
/// If a panel has no points, or the file can't be written.
pub fn draw(file: &Path, panels: &[Panel<'_>; 2]) -> Result<()> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let failed = |error| anyhow!("failed to draw {}: {error}", file.display());
        root.fill(&WHITE).map_err(failed)?;
        for (area, panel) in root.split_evenly((1, 2)).iter().zip(panels) {
            panel.draw(area).map_err(failed)?;
        }
        root.present().map_err(failed)?;
    }
    std::fs::write(file, svg).with_context(|| format!("failed to write {}", file.display()))
}

type Failed = DrawingAreaErrorKind<std::io::Error>;

impl Panel<'_> {
    fn draw(&self, area: &DrawingArea<SVGBackend<'_>, Shift>) -> Result<(), Failed> {
        let x = Axis::at(self.points.iter().map(|(x, _)| *x).collect());
        let y = Axis::of(self.points.iter().map(|(_, y)| *y));
        let mut chart = ChartBuilder::on(area)
            .margin(14)
            .x_label_area_size(50)
            .y_label_area_size(76)
            .build_cartesian_2d(x.clone(), y.clone())?;
        let text = ("sans-serif", 16).into_font().color(&INK);
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .axis_style(INK)
            .label_style(text.clone())
            .axis_desc_style(text.clone())
            .x_desc(self.x)
            .y_desc(self.y)
            .draw()?;
        let linear = self.linear(&x, &y);
        let corner = corner(self.points.iter().chain(&linear), &x, &y);
        chart
            .draw_series(DashedLineSeries::new(linear, 6, 5, LINEAR.stroke_width(2)))?
            .label("linear")
            .legend(|(x, y)| PathElement::new([(x, y), (x + 6, y)], LINEAR.stroke_width(2)));
        let points = self.points.iter().copied();
        let line = LineSeries::new(points, MEASURED.filled().stroke_width(2)).point_size(4);
        chart
            .draw_series(line)?
            .label("measured")
            .legend(|(x, y)| PathElement::new([(x, y), (x + 16, y)], MEASURED.stroke_width(2)));
        chart
            .configure_series_labels()
            .position(corner)
            .background_style(WHITE.mix(0.8))
            .label_font(text)
            .draw()
    }

    /// The part of the linear reference that lies in the panel.
    fn linear(&self, x: &Axis, y: &Axis) -> Vec<(f64, f64)> {
        let pieces = (0..=PIECES).map(|piece| f64::from(piece) / f64::from(PIECES));
        let points = pieces
            .map(|share| x.value(share))
            .map(|x| (x, (self.linear)(x)));
        let within = |(_, value): &(f64, f64)| y.range.contains(value);
        points.filter(within).collect()
    }
}

/// The corner of a panel that is farthest from these points.
fn corner<'p>(
    points: impl Iterator<Item = &'p (f64, f64)>,
    x: &Axis,
    y: &Axis,
) -> SeriesLabelPosition {
    let points: Vec<_> = points
        .map(|(px, py)| (x.share(*px), y.share(*py)))
        .collect();
    let nearest = |(cx, cy): (f64, f64)| {
        let distances = points.iter().map(|(px, py)| (px - cx).hypot(py - cy));
        distances.fold(f64::INFINITY, f64::min)
    };
    let corners = [
        ((0.85, 0.9), SeriesLabelPosition::UpperRight),
        ((0.15, 0.9), SeriesLabelPosition::UpperLeft),
        ((0.15, 0.1), SeriesLabelPosition::LowerLeft),
        ((0.85, 0.1), SeriesLabelPosition::LowerRight),
    ];
    let farthest = corners
        .into_iter()
        .max_by(|(a, _), (b, _)| nearest(*a).total_cmp(&nearest(*b)));
    farthest.map_or(SeriesLabelPosition::UpperRight, |(_, position)| position)
}

/// Maps values to positions on an axis.
#[derive(Debug, Clone)]
struct Axis {
    range: Range<f64>,
    logarithmic: bool,
    ticks: Vec<f64>,
}

impl Axis {
    /// A logarithmic axis, with a tick for each value.
    fn at(values: Vec<f64>) -> Axis {
        let Range { start, end } = ends(values.iter().copied());
        Axis {
            range: start / 1.25..end * 1.25,
            logarithmic: true,
            ticks: values,
        }
    }

    /// A logarithmic axis if the values are far apart, otherwise one from zero. Ticks are round numbers.
    fn of(values: impl Iterator<Item = f64>) -> Axis {
        let Range { start, end } = ends(values);
        let logarithmic = end > start * 4.0;
        let range = match logarithmic {
            true => start / 1.25..end * 1.25,
            false => 0.0..end * 1.2,
        };
        let within = |tick: &f64| *tick <= range.end && *tick >= range.start;
        let ticks = match logarithmic {
            true => round_numbers().filter(within).collect(),
            false => {
                let step = round_numbers().find(|step| range.end / step <= 7.0);
                let steps = (0..=7).map(|n| f64::from(n) * step.unwrap_or(end));
                steps.filter(within).collect()
            }
        };
        Axis {
            range,
            logarithmic,
            ticks,
        }
    }

    /// The value at a share of the axis.
    fn value(&self, share: f64) -> f64 {
        let Range { start, end } = self.range;
        match self.logarithmic {
            true => start * (end / start).powf(share),
            false => start + (end - start) * share,
        }
    }

    /// The position of a value, as a share of the axis.
    fn share(&self, value: f64) -> f64 {
        let Range { start, end } = self.range;
        match self.logarithmic {
            true => (value / start).ln() / (end / start).ln(),
            false => (value - start) / (end - start),
        }
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (start, end): (i32, i32)) -> i32 {
        start + (self.share(*value) * f64::from(end - start)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

impl ValueFormatter<f64> for Axis {
    fn format(value: &f64) -> String {
        number(*value)
    }
}

fn ends(values: impl Iterator<Item = f64>) -> Range<f64> {
    let none = f64::INFINITY..f64::NEG_INFINITY;
    values.fold(none, |ends, value| {
        ends.start.min(value)..ends.end.max(value)
    })
}

fn round_numbers() -> impl Iterator<Item = f64> {
    let decades = (-6..=9).map(|power| 10_f64.powi(power));
    decades.flat_map(|decade| [1.0, 2.0, 5.0].map(|digit| digit * decade))
}

/// A number for an axis.
fn number(value: f64) -> String {
    if value >= 9.5 {
        return thousands(value);
    }
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_is_logarithmic_where_values_are_far_apart() {
        let near = Axis::of([90.0, 100.0].into_iter());
        assert_eq!((near.logarithmic, near.range.clone()), (false, 0.0..120.0));
        assert_eq!(near.ticks, [0.0, 20.0, 40.0, 60.0, 80.0, 100.0, 120.0]);
        let far = Axis::of([0.9, 22.0].into_iter());
        assert!(far.logarithmic);
        assert_eq!(far.ticks, [1.0, 2.0, 5.0, 10.0, 20.0]);
        for axis in [near, far] {
            assert!((axis.value(axis.share(7.0)) - 7.0).abs() < 1e-9);
        }
    }

    #[test]
    fn numbers_have_no_more_digits_than_they_need() {
        let table = [
            (0.0, "0"),
            (0.05, "0.05"),
            (2.5, "2.5"),
            (10.0, "10"),
            (1e4, "10,000"),
        ];
        for (value, text) in table {
            assert_eq!(number(value), text);
        }
    }
}
